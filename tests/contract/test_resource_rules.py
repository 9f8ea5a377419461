"""The rules of the services around a workspace, kept by the control plane: each resource type of a landing zone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mlops_kit.local.settings import TENANT

STORAGE = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
VAULT = {"properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}}
INSIGHTS = {"kind": "web", "properties": {"Application_Type": "web"}}
NETWORK = {
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": "inline", "properties": {"addressPrefix": "10.0.0.0/24"}}],
    }
}
_ML = "Microsoft.MachineLearningServices/workspaces"
_NET = "Microsoft.Network/virtualNetworks/vnet-zone"
_ZONE = "Microsoft.Network/privateDnsZones/privatelink.api.azureml.test"
_AKS = "Microsoft.ContainerService/managedClusters/aks-zone"


def _unique(stem: str) -> str:
    return f"{stem}{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def zone(group: Any) -> dict[str, str]:
    """Put one resource of every type of a landing zone into a group, in the order in which they need each other."""
    names = {kind: _unique(kind) for kind in ("st", "kv", "cr")}
    storage, vault = (
        f"Microsoft.Storage/storageAccounts/{names['st']}",
        f"Microsoft.KeyVault/vaults/kv-{names['kv']}",
    )
    ids = {
        "storage": group.put(storage, STORAGE).id,
        "container": group.put(f"{storage}/blobServices/default/containers/data").id,
        "vault": group.put(vault, VAULT).id,
        "key": group.put(f"{vault}/keys/cmk", {"properties": {"kty": "RSA", "keySize": 3072}}).id,
        "logs": group.put("Microsoft.OperationalInsights/workspaces/log-zone").id,
        "registry": group.put(f"Microsoft.ContainerRegistry/registries/{names['cr']}", {"sku": {"name": "Premium"}}).id,
        "identity": group.put("Microsoft.ManagedIdentity/userAssignedIdentities/id-zone").id,
        "network": group.put(_NET, NETWORK).id,
        "dns": group.put(_ZONE, {"location": "global"}).id,
    }
    ids["subnet"] = f"{ids['network']}/subnets/inline"
    linked = {"Application_Type": "web", "WorkspaceResourceId": ids["logs"]}
    ids["insights"] = group.put("Microsoft.Insights/components/appi-zone", {"kind": "web", "properties": linked}).id
    ids["workspace"] = group.put(
        f"{_ML}/mlw-zone",
        {
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {ids["identity"]: {}}},
            "properties": {
                "storageAccount": ids["storage"],
                "keyVault": ids["vault"],
                "applicationInsights": ids["insights"],
                "containerRegistry": ids["registry"],
                "primaryUserAssignedIdentity": ids["identity"],
            },
        },
    ).id
    profile = {"name": "system", "mode": "System", "vmSize": "Standard_D4s_v5", "count": 1}
    ids["aks"] = group.put(
        _AKS,
        {
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "dnsPrefix": "zone",
                "oidcIssuerProfile": {"enabled": True},
                "agentPoolProfiles": [{**profile, "vnetSubnetID": ids["subnet"]}],
            },
        },
    ).id
    return ids


# What a service adds ----------------------------------------------------------------------------------------------


def test_services_fill_the_read_only_properties(group: Any, zone: dict[str, str]) -> None:
    facts = {kind: group.get(resource_id).properties for kind, resource_id in zone.items()}
    name = zone["storage"].rpartition("/")[2]

    assert facts["storage"]["primaryEndpoints"]["dfs"] == f"https://{name}.dfs.core.mlops.test/"
    assert facts["vault"]["vaultUri"] == f"https://{zone['vault'].rpartition('/')[2]}.vault.mlops.test/"
    assert facts["registry"]["loginServer"] == f"{zone['registry'].rpartition('/')[2]}.azurecr.mlops.test"
    assert uuid.UUID(facts["logs"]["customerId"])
    assert facts["insights"]["InstrumentationKey"] in facts["insights"]["ConnectionString"]
    assert facts["insights"]["IngestionMode"] == "LogAnalytics"
    assert uuid.UUID(facts["identity"]["principalId"]) != uuid.UUID(facts["identity"]["clientId"])
    assert uuid.UUID(facts["workspace"]["workspaceId"])
    assert facts["workspace"]["mlFlowTrackingUri"].endswith(zone["workspace"])
    assert facts["workspace"]["discoveryUrl"].startswith("https://")
    assert facts["aks"]["fqdn"].startswith("zone-")
    assert facts["aks"]["oidcIssuerProfile"]["issuerURL"].startswith("https://westeurope.oic.aks.")
    assert facts["aks"]["nodeResourceGroup"] == f"MC_{group.name}_aks-zone_westeurope"
    assert {one["provisioningState"] for one in facts.values()} == {"Succeeded"}


def test_read_only_properties_that_a_client_sends_are_not_taken(group: Any, zone: dict[str, str]) -> None:
    body = {**STORAGE, "properties": {"provisioningState": "Failed", "primaryEndpoints": {"blob": "https://evil"}}}
    stored = group.put(zone["storage"], body)

    assert stored.properties["provisioningState"] == "Succeeded"
    assert "evil" not in str(stored.properties)


def test_facts_are_the_same_after_every_write(group: Any, zone: dict[str, str]) -> None:
    before = group.get(zone["insights"]).properties
    again = group.patch(zone["insights"], {"tags": {"a": "1"}}).properties

    assert again == before


def test_assigned_identity_has_the_principal_of_the_identity_itself(group: Any, zone: dict[str, str]) -> None:
    assigned = group.get(zone["workspace"]).identity.user_assigned_identities[zone["identity"]]

    assert assigned.principal_id == group.get(zone["identity"]).properties["principalId"]


def test_identity_that_is_deleted_and_made_again_is_somebody_else(group: Any) -> None:
    path = f"Microsoft.ManagedIdentity/userAssignedIdentities/{_unique('id-again-')}"
    first = group.put(path).properties
    assert group.put(path, {"tags": {"a": "1"}}).properties == first
    group.delete(path)
    second = group.put(path)

    assert {first[name] for name in ("principalId", "clientId")}.isdisjoint(second.properties.values())
    storage = group.put(
        f"Microsoft.Storage/storageAccounts/{_unique('again')}",
        {**STORAGE, "identity": {"type": "UserAssigned", "userAssignedIdentities": {second.id: {}}}},
    )
    assert storage.identity.user_assigned_identities[second.id].principal_id == second.properties["principalId"]


def test_secret_is_taken_and_never_shown(group: Any, zone: dict[str, str]) -> None:
    secret = f"{zone['vault']}/secrets/password"
    stored = group.put(secret, {"properties": {"value": "do-not-show", "contentType": "text/plain"}})

    assert stored.properties["secretUri"].endswith("/secrets/password")
    assert "do-not-show" not in str(group.send("GET", secret).json())


def test_private_endpoint_is_approved_and_its_subnet_cannot_go(group: Any, zone: dict[str, str]) -> None:
    target = {"privateLinkServiceId": zone["workspace"], "groupIds": ["amlworkspace"]}
    body = {
        "properties": {
            "subnet": {"id": zone["subnet"]},
            "privateLinkServiceConnections": [{"name": "ws", "properties": target}],
        }
    }
    endpoint = group.put("Microsoft.Network/privateEndpoints/pe-zone", body)
    zones = {
        "properties": {"privateDnsZoneConfigs": [{"name": "api", "properties": {"privateDnsZoneId": zone["dns"]}}]}
    }
    group.put(f"{endpoint.id}/privateDnsZoneGroups/default", zones)
    state = endpoint.properties["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"]

    assert (state["status"], len(endpoint.properties["networkInterfaces"])) == ("Approved", 1)
    with pytest.raises(HttpResponseError, match="is in use by .*pe-zone and cannot be deleted"):
        group.delete(zone["subnet"])


def test_subnets_are_seen_inside_their_network_and_by_themselves(group: Any) -> None:
    network = group.put("Microsoft.Network/virtualNetworks/vnet-two", NETWORK).id
    group.put(f"{network}/subnets/own", {"properties": {"addressPrefix": "10.0.1.0/24"}})
    seen = [one["name"] for one in group.get(network).properties["subnets"]]
    kept = group.put(network, {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})

    assert seen == ["inline", "own"]
    assert group.get(f"{network}/subnets/inline").properties["addressPrefix"] == "10.0.0.0/24"
    assert [one["name"] for one in kept.properties["subnets"]] == ["inline", "own"]
    group.put(network, NETWORK)
    assert not group.there(f"{network}/subnets/own")


def test_network_that_is_lived_in_and_zone_that_is_linked_cannot_be_deleted(group: Any, zone: dict[str, str]) -> None:
    link = {
        "location": "global",
        "properties": {"virtualNetwork": {"id": zone["network"]}, "registrationEnabled": False},
    }
    linked = group.put(f"{zone['dns']}/virtualNetworkLinks/to-vnet", link)
    with pytest.raises(HttpResponseError, match=f"before nested resources are deleted.*{linked.id}"):
        group.delete(zone["dns"])
    with pytest.raises(HttpResponseError, match="Subnet inline is in use by .*aks-zone"):
        group.delete(zone["network"])

    group.delete(linked.id)
    other = group.put("Microsoft.Network/privateDnsZones/unlinked.test", {"location": "global"})
    group.delete(other.id)
    assert not group.there(other.id)


def test_node_pools_are_seen_inside_their_cluster_and_by_themselves(group: Any, zone: dict[str, str]) -> None:
    pools = f"{zone['aks']}/agentPools"
    size = group.get(f"{pools}/system").properties["vmSize"]
    group.put(f"{pools}/gpu", {"location": None, "properties": {"mode": "User", "vmSize": "Standard_NC6", "count": 0}})
    cluster = group.get(zone["aks"]).properties

    assert size == "Standard_D4s_v5"
    assert [one["name"] for one in cluster["agentPoolProfiles"]] == ["system", "gpu"]
    with pytest.raises(HttpResponseError, match="at least one system agent pool"):
        group.delete(f"{pools}/system")
    group.delete(f"{pools}/gpu")
    assert [one["name"] for one in group.get(zone["aks"]).properties["agentPoolProfiles"]] == ["system"]
    bare = {"properties": {"dnsPrefix": "bare", "agentPoolProfiles": [{"name": "user", "mode": "User"}]}}
    with pytest.raises(HttpResponseError, match="no node pool of mode System"):
        group.put("Microsoft.ContainerService/managedClusters/aks-bare", bare)


def test_parts_that_a_service_makes_are_there_and_cannot_be_deleted(group: Any, zone: dict[str, str]) -> None:
    blobs = f"{zone['storage']}/blobServices/default"
    assert group.get(f"{zone['storage']}/fileServices/default").name == "default"
    policy = {"deleteRetentionPolicy": {"enabled": True, "days": 7}, "isVersioningEnabled": True}
    group.put(blobs, {"properties": policy})

    assert group.get(blobs).properties["deleteRetentionPolicy"] == {"enabled": True, "days": 7}
    assert group.there(f"{zone['storage']}/queueServices/default")
    refused = group.send("DELETE", f"{zone['storage']}/fileServices/default")
    assert (refused.status_code, refused.json()["error"]["code"]) == (405, "HttpMethodNotAllowed")


# Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("Microsoft.Storage/storageAccounts/Upper-Case", "3 to 24 lower-case letters and digits"),
        ("Microsoft.Storage/storageAccounts/st" + "x" * 23, "3 to 24 lower-case letters and digits"),
        ("Microsoft.KeyVault/vaults/1kv", "beginning with a letter"),
        ("Microsoft.KeyVault/vaults/kv--two", "single hyphens"),
        ("Microsoft.KeyVault/vaults/" + "k" * 25, "3 to 24"),
        ("Microsoft.ContainerRegistry/registries/with-hyphen", "5 to 50 letters and digits"),
        ("Microsoft.ManagedIdentity/userAssignedIdentities/id", "3 to 128"),
        ("Microsoft.OperationalInsights/workspaces/log-", "beginning and ending with a letter or digit"),
        ("Microsoft.ContainerService/managedClusters/-aks", "1 to 63"),
        ("Microsoft.Network/privateDnsZones/nodots", "labels with dots between"),
        ("Microsoft.EventGrid/systemTopics/a.b", "3 to 50"),
        ("Microsoft.Authorization/roleAssignments/reader", "a GUID"),
        ("Microsoft.Consumption/budgets/per month", "1 to 63"),
        ("Microsoft.MachineLearningServices/workspaces/ml", "3 to 33"),
        ("Microsoft.MachineLearningServices/registries/r", "2 to 33"),
    ],
)
def test_name_that_azure_would_refuse_is_refused_with_the_rule(group: Any, path: str, told: str) -> None:
    with pytest.raises(HttpResponseError, match=told) as refused:
        group.put(path)

    assert (refused.value.status_code, refused.value.error.target) == (400, "name")


@pytest.mark.parametrize("name", ["cpu-cluster-1", "cpu-1", "9cpu", "cpu-"])
def test_compute_needs_a_letter_after_each_hyphen(group: Any, zone: dict[str, str], name: str) -> None:
    with pytest.raises(HttpResponseError, match="let a letter follow each hyphen"):
        group.put(f"{zone['workspace']}/computes/{name}", {"properties": {"computeType": "AmlCompute"}})


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("Microsoft.Storage/storageAccounts", STORAGE, "StorageAccountAlreadyTaken"),
        ("Microsoft.KeyVault/vaults", VAULT, "VaultAlreadyExists"),
        ("Microsoft.ContainerRegistry/registries", {"sku": {"name": "Basic"}}, "AlreadyInUse"),
    ],
)
def test_name_of_a_host_is_unique_in_all_groups(arm: Any, group: Any, path: str, body: Any, code: str) -> None:
    name = _unique("taken")
    assert group.send("POST", *_asked(group, path, name)).json() == {"nameAvailable": True}
    group.put(f"{path}/{name}", body)
    group.put(f"{path}/{name}", body)  # once more is an update
    arm.resource_groups.create_or_update(f"{group.name}-b", {"location": "westeurope"})

    with pytest.raises(HttpResponseError) as refused:
        group.put(f"{group.id}-b/providers/{path}/{name}", body)
    assert (refused.value.status_code, refused.value.error.code) == (409, code)
    assert group.send("POST", *_asked(group, path, name)).json()["nameAvailable"] is False


def _asked(group: Any, kind: str, name: str) -> tuple[str, dict[str, str]]:
    subscription = group.id.partition("/resourceGroups/")[0]
    return (
        f"{subscription}/providers/{kind.partition('/')[0]}/checkNameAvailability",
        {"name": name, "type": kind},
    )


# What is needed, what cannot change --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "target"),
    [
        ("Microsoft.Storage/storageAccounts/stneeds", {"kind": "StorageV2"}, "sku.name"),
        ("Microsoft.KeyVault/vaults/kv-needs", {"properties": {"tenantId": TENANT}}, "properties.sku.name"),
        ("Microsoft.Insights/components/appi-needs", {"kind": "web"}, "properties.Application_Type"),
        ("Microsoft.Network/privateEndpoints/pe-needs", {}, "properties.subnet.id"),
        ("Microsoft.EventGrid/systemTopics/topic-needs", {}, "properties.source"),
        (f"{_ML}/mlw-needs", {"properties": {}}, "properties.storageAccount"),
    ],
)
def test_missing_field_is_named(group: Any, path: str, body: Any, target: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        group.put(path, body)

    assert (refused.value.status_code, refused.value.error.target) == (400, target)


@pytest.mark.parametrize(
    ("what", "change", "target"),
    [
        ("storage", {**STORAGE, "kind": "BlobStorage"}, "kind"),
        ("storage", {**STORAGE, "properties": {"isHnsEnabled": True}}, "properties.isHnsEnabled"),
        ("vault", {"properties": {**VAULT["properties"], "tenantId": str(uuid.uuid4())}}, "properties.tenantId"),
        ("key", {"properties": {"kty": "EC"}}, "properties.kty"),
        ("aks", {"properties": {"dnsPrefix": "other"}}, "properties.dnsPrefix"),
        (
            "workspace",
            {"properties": {"storageAccount": "<vault>", "keyVault": "<vault>"}},
            "properties.storageAccount",
        ),
        ("workspace", {"properties": {"storageAccount": "<storage>", "keyVault": "<storage>"}}, "properties.keyVault"),
    ],
)
def test_what_cannot_change_is_refused_by_name(
    group: Any, zone: dict[str, str], what: str, change: dict[str, Any], target: str
) -> None:
    with pytest.raises(HttpResponseError, match="is not allowed: it is") as refused:
        group.put(zone[what], _filled(change, zone))

    assert (refused.value.error.code, refused.value.error.target) == ("PropertyChangeNotAllowed", target)


def _filled(value: Any, zone: dict[str, str]) -> Any:
    """Return a value with the id of a resource for each ``<name>``."""
    if isinstance(value, dict):
        return {key: _filled(one, zone) for key, one in value.items()}
    if isinstance(value, str) and value.startswith("<"):
        name, _, rest = value[1:].partition(">")
        return zone[name] + rest
    return value


def test_size_and_subnet_of_a_cluster_cannot_change_but_its_nodes_can(group: Any, zone: dict[str, str]) -> None:
    def cluster(**details: Any) -> Any:
        body = {"properties": {"computeType": "AmlCompute", "properties": details}}
        return group.put(f"{zone['workspace']}/computes/cpu", body)

    small = {"vmSize": "Standard_DS3_v2", "subnet": {"id": zone["subnet"]}}
    cluster(**small, scaleSettings={"minNodeCount": 0, "maxNodeCount": 1})
    grown = cluster(**small, scaleSettings={"minNodeCount": 0, "maxNodeCount": 2})
    other = group.put(f"{zone['network']}/subnets/other", {"properties": {"addressPrefix": "10.0.2.0/24"}}).id

    assert grown.properties["properties"]["scaleSettings"]["maxNodeCount"] == 2
    with pytest.raises(HttpResponseError, match="vmSize .* cannot become"):
        cluster(**{**small, "vmSize": "Standard_DS11_v2"})
    with pytest.raises(HttpResponseError, match=r"properties.properties.subnet.id"):
        cluster(**{**small, "subnet": {"id": other}})
    with pytest.raises(HttpResponseError, match="referenced by resource"):
        group.put(
            f"{zone['workspace']}/computes/lost",
            {"properties": {"computeType": "AmlCompute", "properties": {"subnet": {"id": f"{other}-gone"}}}},
        )


@pytest.mark.parametrize("what", ["storage", "vault", "insights", "identity", "aks", "network"])
def test_location_is_compared_in_normal_form_and_cannot_change(group: Any, zone: dict[str, str], what: str) -> None:
    same = group.send("PATCH", zone[what], {"location": "West Europe"}).json()

    assert same["location"] == "westeurope"
    refused = group.send("PATCH", zone[what], {"location": "eastus"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "InvalidResourceLocation")


def test_location_of_a_workspace_a_compute_and_a_group_cannot_change(
    arm: Any, group: Any, zone: dict[str, str]
) -> None:
    assert group.send("PATCH", zone["workspace"], {"location": "eastus"}).json()["error"]["code"] == (
        "InvalidResourceLocation"
    )
    assert arm.resource_groups.create_or_update(group.name, {"location": "West Europe"}).location == "westeurope"
    with pytest.raises(HttpResponseError, match="already exists in location 'westeurope'"):
        arm.resource_groups.create_or_update(group.name, {"location": "eastus"})


@pytest.mark.parametrize(("location", "code"), [("", "LocationRequired"), ("marsnorth", "LocationNotAvailable")])
def test_resource_needs_a_region_that_there_is(group: Any, location: str, code: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        group.put("Microsoft.ManagedIdentity/userAssignedIdentities/id-nowhere", {"location": location})

    assert refused.value.error.code.startswith(code)


# What must be there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "properties", "target"),
    [
        (f"{_ML}/mlw-refers", {"storageAccount": "<storage>-x", "keyVault": "<vault>"}, "properties.storageAccount"),
        (f"{_ML}/mlw-refers", {"storageAccount": "<storage>", "keyVault": "<vault>x"}, "properties.keyVault"),
        (
            f"{_ML}/mlw-refers",
            {"storageAccount": "<storage>", "keyVault": "<vault>", "containerRegistry": "<registry>x"},
            "properties.containerRegistry",
        ),
        (
            "Microsoft.Insights/components/appi-refers",
            {"Application_Type": "web", "WorkspaceResourceId": "<logs>x"},
            "properties.WorkspaceResourceId",
        ),
        ("Microsoft.Network/privateEndpoints/pe-refers", {"subnet": {"id": "<subnet>x"}}, "properties.subnet.id"),
        ("Microsoft.EventGrid/systemTopics/topic", {"source": "<storage>x", "topicType": "t"}, "properties.source"),
    ],
)
def test_id_that_leads_nowhere_is_refused_by_its_place(
    group: Any, zone: dict[str, str], path: str, properties: dict[str, Any], target: str
) -> None:
    with pytest.raises(HttpResponseError, match="was not found") as refused:
        group.put(path, {"kind": "web" if "Insights" in path else "Default", "properties": _filled(properties, zone)})
    assert (refused.value.error.code, refused.value.error.target) == ("InvalidResourceReference", target)


def test_id_of_another_form_is_refused(group: Any, zone: dict[str, str]) -> None:
    with pytest.raises(HttpResponseError, match="LinkedInvalidPropertyId"):
        group.put(f"{_ML}/mlw-form", {"properties": {"storageAccount": "mystorage", "keyVault": zone["vault"]}})


def test_identity_must_be_there_before_it_is_assigned(group: Any, zone: dict[str, str]) -> None:
    users = {"type": "UserAssigned", "userAssignedIdentities": {f"{zone['identity']}-gone": {}}}
    with pytest.raises(HttpResponseError) as refused:
        group.put(zone["storage"], {**STORAGE, "identity": users})

    assert refused.value.error.target == "identity.userAssignedIdentities"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("Microsoft.Storage/storageAccounts/nobody/blobServices/default/containers/data", "ParentResourceNotFound"),
        ("Microsoft.Network/virtualNetworks/nobody/subnets/one", "ParentResourceNotFound"),
        (
            "Microsoft.Storage/storageAccounts/nobody/providers/Microsoft.Authorization/locks/no",
            "ParentResourceNotFound",
        ),
    ],
)
def test_parent_must_be_there(group: Any, path: str, code: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refused:
        group.put(path, {"properties": {"level": "ReadOnly"}})

    assert refused.value.error.code == code


def test_group_must_be_there(group: Any) -> None:
    with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
        group.put(f"{group.id}x/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-lost")


def test_ids_are_compared_without_case(group: Any, zone: dict[str, str]) -> None:
    assert group.get(zone["storage"].upper().replace("/SUBSCRIPTIONS", "/subscriptions")).id == zone["storage"]
    again = group.put(f"{zone['workspace']}", {"properties": _association(zone, upper=True)})
    assert again.id == zone["workspace"]


def _association(zone: dict[str, str], *, upper: bool) -> dict[str, str]:
    given = {"storageAccount": zone["storage"], "keyVault": zone["vault"]}
    return {key: value.upper() if upper else value for key, value in given.items()} | {
        "storageAccount": zone["storage"].replace("/resourceGroups/", "/resourcegroups/"),
        "keyVault": zone["vault"].replace("Microsoft.KeyVault", "microsoft.keyvault"),
    }


def test_unknown_type_of_a_known_service_names_the_nearest(group: Any) -> None:
    answer = group.send("PUT", "Microsoft.Storage/storageAcounts/x", {})

    assert answer.status_code == 501
    assert "Did you mean Microsoft.Storage/storageAccounts?" in answer.json()["error"]["message"]


def test_a_missing_resource_is_told_with_the_nearest_of_its_kind(group: Any) -> None:
    name = _unique("id-near-")
    group.put(f"Microsoft.ManagedIdentity/userAssignedIdentities/{name}")

    with pytest.raises(ResourceNotFoundError, match=f"Did you mean '{name}'"):
        group.get(f"{group.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}x")


# PATCH, entity tags, lists ------------------------------------------------------------------------------------------


def test_patch_merges_objects_removes_with_null_and_replaces_tags(group: Any) -> None:
    path = f"Microsoft.Storage/storageAccounts/{_unique('patch')}"
    acls = {"defaultAction": "Deny", "bypass": "AzureServices"}
    given = {"allowBlobPublicAccess": False, "networkAcls": acls}
    group.put(path, {**STORAGE, "tags": {"a": "1", "b": "2"}, "properties": given})
    change = {"tags": {"a": "3"}, "properties": {"networkAcls": {"bypass": "None"}, "allowBlobPublicAccess": None}}
    changed = group.patch(path, change)

    assert changed.tags == {"a": "3"}
    assert changed.properties["networkAcls"] == {"defaultAction": "Deny", "bypass": "None"}
    assert "allowBlobPublicAccess" not in changed.properties
    assert changed.sku.name == "Standard_LRS"


def test_identity_of_an_unknown_type_is_refused(group: Any, zone: dict[str, str]) -> None:
    with pytest.raises(HttpResponseError) as refused:
        group.put(zone["storage"], {**STORAGE, "identity": {"type": "SystemAssigned, Delegated"}})
    assert refused.value.status_code == 400
    assert "'Delegated' is not one of SystemAssigned, UserAssigned, None" in refused.value.error.message
    assert refused.value.error.target == "identity.type"


def test_put_replaces_what_it_does_not_name_and_patch_of_an_identity_does_not(group: Any) -> None:
    users = [group.put(f"Microsoft.ManagedIdentity/userAssignedIdentities/id-{name}").id for name in ("one", "two")]
    path = f"Microsoft.Storage/storageAccounts/{_unique('whose')}"

    def identity(*given: str) -> dict[str, Any]:
        return {"identity": {"type": "UserAssigned", "userAssignedIdentities": {one: {} for one in given}}}

    group.put(path, {**STORAGE, **identity(users[0])})
    assert set(group.patch(path, identity(users[1])).identity.user_assigned_identities) == set(users)
    removed = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {users[0]: None}}}
    assert set(group.send("PATCH", path, removed).json()["identity"]["userAssignedIdentities"]) == {users[1]}
    assert set(group.put(path, {**STORAGE, **identity(users[0])}).identity.user_assigned_identities) == {users[0]}
    assert (
        group.put(path, {**STORAGE, "identity": {"type": "SystemAssigned"}}).identity.user_assigned_identities is None
    )


def test_entity_tag_follows_the_content_and_guards_a_write(group: Any) -> None:
    path = "Microsoft.Network/networkSecurityGroups/nsg-tag"
    first = group.send("PUT", path, {"location": "westeurope"}).json()["etag"]
    same = group.send("PUT", path, {"location": "westeurope"}).json()["etag"]
    other = group.send("PUT", path, {"location": "westeurope", "tags": {"a": "1"}}).json()["etag"]

    assert first == same != other
    group.put(path, {"tags": {"a": "2"}}, If_Match=other)
    with pytest.raises(HttpResponseError) as refused:
        group.put(path, {"tags": {"a": "3"}}, If_Match=other)
    assert refused.value.status_code == 412
    with pytest.raises(HttpResponseError):
        group.put(path, {}, If_None_Match="*")


def test_resources_are_listed_by_type_in_a_group_and_in_the_subscription(group: Any, zone: dict[str, str]) -> None:
    subscription = group.id.partition("/resourceGroups/")[0]
    kind = "Microsoft.Storage/storageAccounts"
    within = {one["id"] for one in group.list(kind)}
    everywhere = {one["id"] for one in group.list(f"{subscription}/providers/{kind}")}

    assert zone["storage"] in within < everywhere
    assert [one["name"] for one in group.list(f"{zone['storage']}/blobServices/default/containers")] == ["data"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("resourceType eq 'microsoft.keyvault/vaults'", 1),
        ("tagName eq 'stage' and tagValue eq 'dev'", 1),
        ("tagName eq 'STAGE'", 2),
        ("startswith(tagName, 'sta')", 2),
        ("tagName eq 'stage' and resourceType eq 'Microsoft.KeyVault/vaults'", 1),
        ("substringof('filter', name)", 2),
        ("resourceType ne 'Microsoft.KeyVault/vaults'", 1),
        ("location eq 'eastus'", 0),
    ],
)
def test_list_of_resources_is_filtered(arm: Any, ml: Any, group: Any, expression: str, found: int) -> None:
    name = f"{group.name}-filtered"
    if not arm.resource_groups.check_existence(name):
        arm.resource_groups.create_or_update(name, {"location": "westeurope"})
        scope = f"/subscriptions/{ml.subscription_id}/resourceGroups/{name}/providers"
        group.put(f"{scope}/Microsoft.KeyVault/vaults/{_unique('kv-filter')}", {**VAULT, "tags": {"stage": "dev"}})
        group.put(f"{scope}/Microsoft.Storage/storageAccounts/{_unique('filter')}", {**STORAGE, "tags": {"stage": "p"}})

    assert len(list(arm.resources.list_by_resource_group(name, filter=expression))) == found


def test_list_tells_when_each_was_made_where_that_is_asked(arm: Any, group: Any, zone: dict[str, str]) -> None:
    listed = arm.resources.list_by_resource_group(group.name, expand="createdTime,provisioningState")
    one = next(one for one in listed if one.id == zone["vault"])

    assert (one.provisioning_state, one.created_time.tzinfo is not None) == ("Succeeded", True)
    assert one.changed_time is None


def test_filter_that_is_not_understood_is_refused(arm: Any, group: Any) -> None:
    with pytest.raises(HttpResponseError, match="is not understood"):
        list(arm.resources.list_by_resource_group(group.name, filter="plan/name eq 'x'"))


def test_more_tags_than_azure_keeps_are_refused(group: Any, zone: dict[str, str]) -> None:
    with pytest.raises(HttpResponseError, match="at most 50 tags, not 51"):
        group.put(zone["identity"], {"tags": {f"t{number}": "x" for number in range(51)}})


def test_federated_credential_is_unique_by_issuer_and_subject(group: Any, zone: dict[str, str]) -> None:
    given = {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:acme/churn:environment:dev",
        "audiences": ["api://AzureADTokenExchange"],
    }
    credentials = f"{zone['identity']}/federatedIdentityCredentials"
    group.put(f"{credentials}/github-dev", {"properties": given})

    with pytest.raises(HttpResponseError, match="combination already exists.*'github-dev'"):
        group.put(f"{credentials}/github-dev-2", {"properties": given})
    group.put(f"{credentials}/github-prod", {"properties": {**given, "subject": "repo:acme/churn:environment:prod"}})
    assert len(group.list(credentials)) == 2


def test_satellites_of_a_landing_zone_are_stored_where_they_belong(group: Any, zone: dict[str, str]) -> None:
    logs = [
        {"category": name, "enabled": True} for name in ("AmlOnlineEndpointConsoleLog", "AmlOnlineEndpointTrafficLog")
    ]
    settings = group.put(
        f"{zone['workspace']}/providers/Microsoft.Insights/diagnosticSettings/to-logs",
        {"properties": {"workspaceId": zone["logs"], "logs": logs}},
    )
    people = group.put(
        "Microsoft.Insights/actionGroups/ag-zone",
        {"location": "global", "properties": {"groupShortName": "zone", "enabled": True}},
    )
    group.put(
        "Microsoft.Insights/scheduledQueryRules/failed-jobs",
        {"properties": {"scopes": [zone["logs"]], "actions": {"actionGroups": [people.id]}}},
    )
    topic = group.put(
        "Microsoft.EventGrid/systemTopics/topic-zone",
        {"properties": {"source": zone["storage"], "topicType": "Microsoft.Storage.StorageAccounts"}},
    )
    hook = {"endpointType": "WebHook", "properties": {"endpointUrl": "https://hook.test/?code=do-not-show"}}
    event = group.put(f"{topic.id}/eventSubscriptions/new-data", {"properties": {"destination": hook}})
    period = {"startDate": "2026-01-01T00:00:00Z"}
    budget = {"amount": 100, "category": "Cost", "timeGrain": "Monthly", "timePeriod": period}
    spent = group.put("Microsoft.Consumption/budgets/monthly", {"properties": budget})
    extension = group.put(
        f"{zone['aks']}/providers/Microsoft.KubernetesConfiguration/extensions/ml",
        {"properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "configurationSettings": {"a": "b"}}},
    )
    attached = group.put(
        f"{zone['workspace']}/computes/aks",
        {"properties": {"computeType": "Kubernetes", "resourceId": zone["aks"], "properties": {"namespace": "ml"}}},
    )

    assert settings.id.startswith(zone["workspace"])
    assert event.properties["topic"] == topic.id
    assert "do-not-show" not in str(event.properties)
    assert spent.properties["currentSpend"]["amount"] == 0
    assert extension.type == "Microsoft.KubernetesConfiguration/extensions"
    assert attached.properties["resourceId"] == zone["aks"]
    listed = {one.id for one in group.arm.resources.list_by_resource_group(group.name)}
    assert {settings.id, extension.id}.isdisjoint(listed)
