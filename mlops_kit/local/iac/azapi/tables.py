"""The schemas of ``Azure/azapi`` 2.x: names, types and who sets each attribute, as its reference pages list them."""

from __future__ import annotations

from mlops_kit.local.iac.azapi.schema import Attribute, Block, Schema

_TEXTS = ["list", "string"]
_MAP = ["map", "string"]
_QUERY = ["map", ["list", "string"]]

_RETRY = Attribute(
    nested={
        "error_message_regex": Attribute(_TEXTS, "required"),
        "interval_seconds": Attribute("number", "either"),
        "max_interval_seconds": Attribute("number", "either"),
        "multiplier": Attribute("number", "either"),
        "randomization_factor": Attribute("number", "either"),
    }
)
_IDENTITY = {
    "type": Attribute("string", "required"),
    "identity_ids": Attribute(_TEXTS),
    "principal_id": Attribute("string", "computed"),
    "tenant_id": Attribute("string", "computed"),
}


def _timeouts(*operations: str) -> dict[str, Block]:
    return {"timeouts": Block({operation: Attribute() for operation in operations}, "SINGLE")}


def _requests(*operations: str) -> dict[str, Attribute]:
    made = {}
    for operation in operations:
        made[f"{operation}_headers"] = Attribute(_MAP)
        made[f"{operation}_query_parameters"] = Attribute(_QUERY)
    return made


_WRITTEN = {
    "id": Attribute("string", "computed"),
    "type": Attribute("string", "required"),
    "sensitive_body": Attribute("dynamic", write_only=True),
    "sensitive_body_version": Attribute(_MAP),
    "response_export_values": Attribute("dynamic"),
    "locks": Attribute(_TEXTS),
    "output": Attribute("dynamic", "computed"),
    "retry": _RETRY,
}
_COMPARED = {
    "ignore_casing": Attribute("bool", "either"),
    "ignore_missing_property": Attribute("bool", "either"),
    "list_unique_id_property": Attribute(_MAP),
    "ignore_other_items_in_list": Attribute(_TEXTS),
    "replace_triggers_external_values": Attribute("dynamic"),
}

RESOURCE = Schema(
    {
        **_WRITTEN,
        **_COMPARED,
        "name": Attribute("string", "either"),
        "parent_id": Attribute("string", "either"),
        "location": Attribute("string", "either"),
        "tags": Attribute(_MAP, "either"),
        "body": Attribute("dynamic", "either"),
        "ignore_body_changes": Attribute(_TEXTS, write_only=True),
        "ignore_null_property": Attribute("bool", "either"),
        "replace_triggers_refs": Attribute(_TEXTS),
        "schema_validation_enabled": Attribute("bool", "either"),
        **_requests("create", "update", "delete", "read"),
    },
    {"identity": Block(_IDENTITY, "LIST"), **_timeouts("create", "update", "read", "delete")},
    version=2,
)

UPDATE_RESOURCE = Schema(
    {
        **_WRITTEN,
        **_COMPARED,
        "name": Attribute("string", "either"),
        "parent_id": Attribute("string", "either"),
        "resource_id": Attribute("string", "either"),
        "body": Attribute("dynamic"),
        **_requests("update", "read"),
    },
    _timeouts("create", "update", "read", "delete"),
    version=2,
)

RESOURCE_ACTION = Schema(
    {
        **_WRITTEN,
        "resource_id": Attribute("string", "required"),
        "action": Attribute(),
        "method": Attribute("string", "either"),
        "body": Attribute("dynamic"),
        "when": Attribute("string", "either"),
        "ignore_not_found": Attribute("bool"),
        "sensitive_response_export_values": Attribute("dynamic"),
        "exist": Attribute("bool", "computed"),
        "sensitive_output": Attribute("dynamic", "computed", sensitive=True),
        "headers": Attribute(_MAP),
        "query_parameters": Attribute(_QUERY),
    },
    _timeouts("create", "update", "read", "delete"),
    version=3,
)

DATA_PLANE_RESOURCE = Schema(
    {
        **_WRITTEN,
        "name": Attribute("string", "either"),
        "parent_id": Attribute("string", "required"),
        "body": Attribute("dynamic", "either"),
        "ignore_casing": Attribute("bool", "either"),
        "ignore_missing_property": Attribute("bool", "either"),
        "replace_triggers_external_values": Attribute("dynamic"),
        "replace_triggers_refs": Attribute(_TEXTS),
        **_requests("create", "update", "delete", "read"),
    },
    _timeouts("create", "update", "read", "delete"),
    version=2,
)

_READ = {
    "id": Attribute("string", "computed"),
    "retry": _RETRY,
    "headers": Attribute(_MAP),
    "query_parameters": Attribute(_QUERY),
    "response_export_values": Attribute("dynamic"),
    "output": Attribute("dynamic", "computed"),
}

DATA_RESOURCE = Schema(
    {
        **_READ,
        "type": Attribute("string", "required"),
        "name": Attribute("string", "either"),
        "parent_id": Attribute("string", "either"),
        "resource_id": Attribute("string", "either"),
        "location": Attribute("string", "computed"),
        "tags": Attribute(_MAP, "computed"),
        "identity": Attribute(
            use="computed",
            nested={name: Attribute(attribute.type, "computed") for name, attribute in _IDENTITY.items()},
            nesting="LIST",
        ),
        "ignore_not_found": Attribute("bool"),
        "exists": Attribute("bool", "computed"),
    },
    _timeouts("read"),
)

DATA_LIST = Schema(
    {**_READ, "type": Attribute("string", "required"), "parent_id": Attribute("string", "required")},
    _timeouts("read"),
)

DATA_ACTION = Schema(
    {
        **_READ,
        "type": Attribute("string", "required"),
        "resource_id": Attribute(),
        "action": Attribute(),
        "method": Attribute("string", "either"),
        "body": Attribute("dynamic"),
        "sensitive_response_export_values": Attribute("dynamic"),
        "sensitive_output": Attribute("dynamic", "computed", sensitive=True),
    },
    _timeouts("read"),
)

DATA_ID = Schema(
    {
        "id": Attribute("string", "computed"),
        "type": Attribute("string", "required"),
        "name": Attribute("string", "either"),
        "parent_id": Attribute("string", "either"),
        "resource_id": Attribute("string", "either"),
        "resource_group_name": Attribute("string", "computed"),
        "subscription_id": Attribute("string", "computed"),
        "provider_namespace": Attribute("string", "computed"),
        "parts": Attribute(_MAP, "computed"),
    },
    _timeouts("read"),
)

DATA_CLIENT_CONFIG = Schema(
    {
        name: Attribute("string", "computed")
        for name in ("id", "tenant_id", "subscription_id", "subscription_resource_id", "object_id")
    },
    _timeouts("read"),
)

_FLAGS = (
    "skip_provider_registration", "use_oidc", "use_cli", "use_msi", "use_aks_workload_identity",
    "disable_correlation_request_id", "disable_instance_discovery", "disable_terraform_partner_id",
    "enable_preflight", "ignore_no_op_changes", "disable_default_output", "always_acquire_policy_token",
    "preserve_resource_id_casing",
)  # fmt: skip
_NAMES = (
    "subscription_id", "client_id", "client_id_file_path", "tenant_id", "environment", "client_certificate_path",
    "client_certificate", "client_certificate_password", "client_secret", "client_secret_file_path",
    "oidc_request_token", "oidc_request_url", "oidc_token", "oidc_token_file_path",
    "oidc_azure_service_connection_id", "partner_id", "custom_correlation_request_id", "default_name",
    "default_location",
)  # fmt: skip
_SECRET = ("client_certificate", "client_certificate_password", "client_secret", "oidc_request_token", "oidc_token")

PROVIDER = Schema(
    {
        **{name: Attribute(sensitive=name in _SECRET) for name in _NAMES},
        **{name: Attribute("bool") for name in _FLAGS},
        "auxiliary_tenant_ids": Attribute(_TEXTS),
        "default_tags": Attribute(_MAP),
        "maximum_busy_retry_attempts": Attribute("number"),
        "endpoint": Attribute(
            nested={
                name: Attribute()
                for name in (
                    "active_directory_authority_host", "resource_manager_endpoint", "resource_manager_audience",
                )
            },
            nesting="LIST",
        ),
    }
)  # fmt: skip
