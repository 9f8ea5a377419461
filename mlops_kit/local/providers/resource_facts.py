"""The read-only properties that each service adds to a resource: endpoints, ids, keys, states.

They follow from the id and the body alone, so the same resource has the same facts on every machine and after every
write. No service stands behind the addresses, except the blob endpoint: all accounts' data is in Azurite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.ids import group_of, parse, stable_guid
from mlops_kit.local.settings import DOMAIN, STORAGE_SUFFIX, TENANT

if TYPE_CHECKING:
    from mlops_kit.local.providers.resource_rules import Draft

_KUBERNETES_VERSION = "1.33"  # what a cluster gets that asks for none

# The defaults of Application Insights, as its specification names them.
_INSIGHTS = {
    "Flow_Type": "Bluefield",
    "Request_Source": "rest",
    "IngestionMode": "LogAnalytics",
    "publicNetworkAccessForIngestion": "Enabled",
    "publicNetworkAccessForQuery": "Enabled",
}


def storage_account(draft: Draft) -> dict[str, Any]:
    """Return the endpoints, the keys' age and the region."""
    kinds = ("blob", "dfs", "file", "queue", "table", "web")
    return {
        "primaryEndpoints": {kind: f"https://{draft.name}.{kind}.{STORAGE_SUFFIX}/" for kind in kinds},
        "primaryLocation": draft.body.get("location"),
        "statusOfPrimary": "available",
    }


def container(draft: Draft) -> dict[str, Any]:
    """Return the states of a blob container."""
    del draft
    return {
        "leaseStatus": "Unlocked",
        "leaseState": "Available",
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
        "deleted": False,
    }


def vault(draft: Draft) -> dict[str, Any]:
    """Return the address of a vault."""
    return {"vaultUri": f"https://{draft.name}.vault.{DOMAIN}/"}


def vault_key(draft: Draft) -> dict[str, Any]:
    """Return the addresses of a key; it has no key material."""
    version = stable_guid(draft.id).replace("-", "")
    uri = f"https://{draft.id.split('/')[8]}.vault.{DOMAIN}/keys/{draft.name}"
    return {"keyUri": uri, "keyUriWithVersion": f"{uri}/{version}"}


def vault_secret(draft: Draft) -> dict[str, Any]:
    """Return the addresses of a secret."""
    version = stable_guid(draft.id).replace("-", "")
    uri = f"https://{draft.id.split('/')[8]}.vault.{DOMAIN}/secrets/{draft.name}"
    return {"secretUri": uri, "secretUriWithVersion": f"{uri}/{version}"}


def insights(draft: Draft) -> dict[str, Any]:
    """Return the keys of an Application Insights component, and what it is where nothing else is asked for."""
    key, app = stable_guid(draft.id, "key"), stable_guid(draft.id, "app")
    connection = f"InstrumentationKey={key};IngestionEndpoint=https://insights.{DOMAIN}/;ApplicationId={app}"
    return {
        "InstrumentationKey": key,
        "AppId": app,
        "ApplicationId": draft.name,
        "Name": draft.name,
        "TenantId": parse(draft.id)["subscriptions"],
        "ConnectionString": connection,
        **{name: draft.properties.get(name, default) for name, default in _INSIGHTS.items()},
    }


def log_analytics(draft: Draft) -> dict[str, Any]:
    """Return the customer id of a Log Analytics workspace."""
    return {"customerId": stable_guid(draft.id)}


def container_registry(draft: Draft) -> dict[str, Any]:
    """Return the login server of a container registry."""
    return {"loginServer": f"{draft.name.lower()}.azurecr.{DOMAIN}"}


def kubernetes(draft: Draft) -> dict[str, Any]:
    """Return the addresses, the version, the issuer and the kubelet's identity of an AKS cluster."""
    given, location = draft.properties, draft.body.get("location")
    short = stable_guid(draft.id).replace("-", "")[:8]
    host = f"{given.get('dnsPrefix') or draft.name}-{short}.hcp.{location}.azmk8s.{DOMAIN}"
    home = group_of(draft.id)
    nodes = given.get("nodeResourceGroup") or f"MC_{home.rpartition('/')[2]}_{draft.name}_{location}"[:80]
    kubelet = (
        f"{home.rpartition('/')[0]}/{nodes}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        f"/{draft.name}-agentpool"
    )
    facts: dict[str, Any] = {
        "currentKubernetesVersion": given.get("kubernetesVersion") or _KUBERNETES_VERSION,
        "kubernetesVersion": given.get("kubernetesVersion") or _KUBERNETES_VERSION,
        "nodeResourceGroup": nodes,
        "powerState": {"code": "Running"},
        "maxAgentPools": 100,
        "identityProfile": {
            "kubeletidentity": {
                "resourceId": kubelet,
                "clientId": stable_guid(kubelet, "client"),
                "objectId": stable_guid(kubelet, "principal"),
            },
            **(given.get("identityProfile") or {}),
        },
    }
    private = (given.get("apiServerAccessProfile") or {}).get("enablePrivateCluster")
    facts["privateFQDN" if private else "fqdn"] = host
    if (given.get("oidcIssuerProfile") or {}).get("enabled"):
        issuer = f"https://{location}.oic.aks.{DOMAIN}/{TENANT}/{stable_guid(draft.id, 'issuer')}/"
        facts["oidcIssuerProfile"] = {"enabled": True, "issuerURL": issuer}
    return facts


def agent_pool(draft: Draft) -> dict[str, Any]:
    """Return the state of a node pool."""
    del draft
    return {"powerState": {"code": "Running"}}


def extension(draft: Draft) -> dict[str, Any]:
    """Return the version and the state of a cluster extension."""
    given = draft.properties
    return {"currentVersion": given.get("version") or "1.0.0", "isSystemExtension": False, "errorInfo": None}


def private_endpoint(draft: Draft) -> dict[str, Any]:
    """Return a private endpoint's interface and its connections, which are approved at once."""
    state = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    facts: dict[str, Any] = {
        kind: [
            {
                **one,
                "id": f"{draft.id}/{kind}/{one.get('name')}",
                "properties": {
                    **(one.get("properties") or {}),
                    "provisioningState": "Succeeded",
                    "privateLinkServiceConnectionState": state,
                },
            }
            for one in draft.properties.get(kind) or []
        ]
        for kind in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
        if draft.properties.get(kind)
    }
    name = f"{draft.name}.nic.{stable_guid(draft.id)}"
    facts["networkInterfaces"] = [{"id": f"{group_of(draft.id)}/providers/Microsoft.Network/networkInterfaces/{name}"}]
    return facts


def dns_zone(draft: Draft) -> dict[str, Any]:
    """Return the limits of a private DNS zone."""
    del draft
    return {"maxNumberOfRecordSets": 25000, "maxNumberOfVirtualNetworkLinks": 1000}


def dns_link(draft: Draft) -> dict[str, Any]:
    """Return the state of a link between a zone and a network."""
    del draft
    return {"virtualNetworkLinkState": "Completed"}


def network(draft: Draft) -> dict[str, Any]:
    """Return the guid of a network resource."""
    return {"resourceGuid": stable_guid(draft.id, "guid")}


def system_topic(draft: Draft) -> dict[str, Any]:
    """Return the metric id of a system topic."""
    return {"metricResourceId": stable_guid(draft.id)}


def event_subscription(draft: Draft) -> dict[str, Any]:
    """Return the topic that a subscription listens to."""
    owner = draft.id.lower().partition("/eventsubscriptions/")[0]
    return {"topic": draft.id[: len(owner)].removesuffix("/providers/Microsoft.EventGrid")}


def budget(draft: Draft) -> dict[str, Any]:
    """Return what has been spent: nothing."""
    del draft
    return {"currentSpend": {"amount": 0.0, "unit": "USD"}}
