"""An environment's infrastructure, decided: one frozen ``Infrastructure``, and the plain data that engines get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from mlops_kit.environments import Environment
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import access, compute, derived, names, network, rules
from mlops_kit.infra.contract import (
    ActionGroup,
    Alert,
    ApplicationInsights,
    Budget,
    ContainerRegistry,
    CustomerManagedKey,
    DataTrigger,
    Infrastructure,
    KeyVault,
    LogAnalytics,
    Observability,
    Registry,
    ResourceGroup,
    RoleAssignment,
    Storage,
    Trigger,
    Workspace,
)
from mlops_kit.infra.wanted import Wanted, is_wanted, wanted

_EVENTS = ("Microsoft.Storage.BlobCreated",)


def infrastructure(environment: Environment) -> Infrastructure:
    """Return the infrastructure of an environment, all names and values decided.

    Raises:
        EnvironmentFileError: A value is missing or breaks a rule; ``rules.findings`` tells all of them.
    """
    if not is_wanted(environment):
        raise EnvironmentFileError(
            f"environment {environment.name!r} has no infrastructure: no layer has the key infra"
        )
    for finding in rules.findings(environment):
        if finding.severity == "error":
            message = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
            raise EnvironmentFileError(message, finding.place)
    tree = wanted(environment)
    named = {name.key: name.text for name in names.names_of(environment, tree)}
    group = _resource_group(environment, tree, named)
    group_id = f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}"
    who = access.access(tree, named, group_id, environment.name)
    return Infrastructure(
        resource_group=group,
        storage=_storage(tree, named),
        key_vault=_key_vault(environment, tree, named, who.role_assignments),
        observability=_observability(tree, named),
        container_registry=_container_registry(tree, named),
        identity_and_access=who,
        workspace=_workspace(environment, tree, named),
        compute=compute.compute(tree),
        kubernetes=compute.kubernetes(tree, named),
        registry=_registry(environment, tree, named),
        data_trigger=_data_trigger(tree, named),
        budget=_budget(tree, named),
    )


def values(infrastructure: Infrastructure) -> dict[str, Any]:
    """Return the infrastructure as plain JSON data: one key per module, null where it is not wanted."""
    plain: dict[str, Any] = _plain(infrastructure)
    return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _resource_group(environment: Environment, tree: Wanted, named: Mapping[str, str]) -> ResourceGroup:
    locked = tree["resource_group"].get("delete_lock")
    return ResourceGroup(
        str(environment.require("workspace.subscription_id")),
        named["resource_group"],
        derived.location(environment),
        environment.tags,
        "do-not-delete" if (environment.protected if locked is None else locked) else None,
    )


def _storage(tree: Wanted, named: Mapping[str, str]) -> Storage:
    part = tree["storage"]
    return Storage(
        name=named["storage"],
        sku=part["sku"],
        containers=tuple(part["containers"]),
        versioning=part["versioning"],
        blob_soft_delete_days=part["blob_soft_delete_days"],
        container_soft_delete_days=part["container_soft_delete_days"],
        shared_keys=part["shared_keys"],
        firewall=network.firewall(tree, "storage"),
    )


def _key_vault(
    environment: Environment, tree: Wanted, named: Mapping[str, str], assignments: Mapping[str, RoleAssignment]
) -> KeyVault:
    part = tree["key_vault"]
    protection = part.get("purge_protection")
    return KeyVault(
        name=named["key_vault"],
        sku=part["sku"],
        tenant_id=part["tenant_id"],
        rbac=part["rbac"],
        access_policies={} if part["rbac"] else access.access_policies(assignments),
        soft_delete_days=part["soft_delete_days"],
        purge_protection=environment.protected if protection is None else protection,
        when_soft_deleted=tree["soft_deleted"],
        firewall=network.firewall(tree, "key_vault"),
    )


def _observability(tree: Wanted, named: Mapping[str, str]) -> Observability:
    part = tree["observability"]
    mails = {f"email-{index}": address for index, address in enumerate(part["emails"], 1)}
    group = ActionGroup(named["action_group"], named["action_group_short"], mails) if mails else None
    return Observability(
        LogAnalytics(named["log_analytics"], part["retention_days"], part["daily_cap_gb"] or -1),
        ApplicationInsights(named.get("application_insights"), part["application_insights_id"]),
        "to-log-analytics",
        tuple(part["diagnostic_categories"]),
        group,
        {name: _alert(named[f"alert.{name}"], one) for name, one in part["alerts"].items()},
    )


def _alert(name: str, one: Mapping[str, Any]) -> Alert:
    window = one["window_minutes"]
    return Alert(
        name=name,
        metric=one["metric"],
        aggregation=one["aggregation"],
        operator=one["operator"],
        threshold=one["threshold"],
        window=_minutes(window),
        frequency=_minutes(min(window, 60)),
        severity=one["severity"],
    )


def _minutes(minutes: int) -> str:
    """Return an ISO 8601 duration in the one spelling that alerts take: whole hours and days as such."""
    if minutes % 1440 == 0:
        return f"P{minutes // 1440}D"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"


def _container_registry(tree: Wanted, named: Mapping[str, str]) -> ContainerRegistry | None:
    if tree["container_registry"] is None:
        return None
    access = derived.registry_access(tree)
    sku = tree["container_registry"].get("sku") or ("Premium" if derived.is_private_registry(tree) else "Basic")
    return ContainerRegistry(named["container_registry"], sku, network.enabled(access))


def _workspace(environment: Environment, tree: Wanted, named: Mapping[str, str]) -> Workspace:
    part = tree["workspace"]
    key = part["customer_managed_key"]
    return Workspace(
        name=named["workspace"],
        friendly_name=part.get("friendly_name") or named["workspace"],
        description=part.get("description") or environment.get("description", ""),
        identity="workspace",
        datastore_auth="accessKey" if tree["storage"]["shared_keys"] else "identity",
        image_build_compute=derived.build_cluster(tree),
        when_soft_deleted=tree["soft_deleted"],
        network=network.network(tree, named),
        serverless=compute.serverless(tree),
        customer_managed_key=None if key is None else CustomerManagedKey(key["vault_id"], key["key_id"]),
    )


def _registry(environment: Environment, tree: Wanted, named: Mapping[str, str]) -> Registry | None:
    if (part := tree["registry"]) is None:
        return None
    locations = dict.fromkeys([derived.location(environment), *map(derived.region, part["locations"])])
    public = network.enabled(part["public_access"])
    return Registry(named["registry"], tuple(locations), part["storage_sku"], "Premium", public)


def _data_trigger(tree: Wanted, named: Mapping[str, str]) -> DataTrigger | None:
    if (part := tree["data_trigger"]) is None:
        return None
    triggers = {name: _trigger(one, named.get(f"queue.{name}")) for name, one in part["triggers"].items()}
    return DataTrigger(named["event_topic"], "trigger", triggers)


def _trigger(one: Mapping[str, Any], queue: str | None) -> Trigger:
    return Trigger(
        f"/blobServices/default/containers/{one['container']}/blobs/{one['prefix']}",
        one["suffix"],
        _EVENTS,
        (f"pipeline:{one['pipeline']}",),
        queue,
        one["webhook_url"],
    )


def _budget(tree: Wanted, named: Mapping[str, str]) -> Budget | None:
    if (part := tree["budget"]) is None:
        return None
    return Budget(named["budget"], part["amount"], part["start"], tuple(part["thresholds"]), tuple(part["emails"]))
