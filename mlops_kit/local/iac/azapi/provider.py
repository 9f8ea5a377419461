"""The plugin protocol: every call of Terraform is decoded, answered by the kind of resource it names, and encoded."""

from __future__ import annotations

import functools
import json
import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc

from mlops_kit.local.iac.access import access
from mlops_kit.local.iac.azapi import action, data, functions, resource, tables, update
from mlops_kit.local.iac.azapi.session import Change, Kind, Outcome, Session, Values
from mlops_kit.local.iac.client import ArmClient, ArmRefusal
from mlops_kit.local.iac.refusals import Refusal

log = logging.getLogger(__name__)

_DATA_PLANE = "azapi_data_plane_resource"


def _refuse_data_plane(*_: Any) -> Any:
    detail = "The local control plane holds ARM resources; what lies inside them (secrets, keys, search indexes) is not"
    raise Refusal("No data plane", f"{detail} behind this provider.")


RESOURCES: Mapping[str, Kind] = {
    "azapi_resource": resource.KIND,
    "azapi_update_resource": update.KIND,
    "azapi_resource_action": action.KIND,
    _DATA_PLANE: Kind(tables.DATA_PLANE_RESOURCE, *[_refuse_data_plane] * 6),
}
# Arguments that need to know which types take a location, tags or which names: the stand-in has no such index.
_UNSUPPORTED = ("default_name", "default_location", "default_tags", "enable_preflight")


def _answering(response: Callable[..., Any]) -> Callable[[Any], Any]:
    """Turn what a call raises into the diagnostics of its response."""

    def decorate(call: Any) -> Any:
        @functools.wraps(call)
        def answer(self: Provider, request: Any, context: grpc.ServicerContext) -> Any:
            del context
            try:
                return call(self, request)
            except Exception as fault:  # noqa: BLE001  whatever it is, Terraform must be told
                return response(diagnostics=[_diagnostic(fault)])

        return answer

    return decorate


def _diagnostic(fault: Exception) -> pb.Diagnostic:
    if isinstance(fault, Refusal):
        where = pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=fault.attribute)])
        made = pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=fault.summary, detail=fault.detail)
        if fault.attribute:
            made.attribute.CopyFrom(where)
        return made
    if isinstance(fault, ArmRefusal):
        return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary="The service refused", detail=str(fault))
    # The message of an unforeseen fault may quote values, and some are secrets.
    log.error("fault: %s", type(fault).__name__, exc_info=fault if log.isEnabledFor(logging.DEBUG) else None)
    last = traceback.extract_tb(fault.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    detail = f"{type(fault).__name__} ({where}) in the stand-in of the azapi provider: a fault of mlops-kit; report it."
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary="Fault of the provider", detail=detail)


class Provider(tfplugin_pb2_grpc.ProviderServicer):  # type: ignore[misc]
    """Answers Terraform. ``environ`` says where the control plane is; one configuration holds at a time."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._client: ArmClient | None = None
        self._session: Session | None = None
        self._stopped = threading.Event()

    def close(self) -> None:
        """End what is waited for, and close the connections."""
        self._stopped.set()
        if self._client is not None:
            self._client.close()

    @property
    def session(self) -> Session:
        """Return the configured provider."""
        if self._session is None:
            raise Refusal("Provider not configured", "Terraform asked for resources before it configured the provider.")
        return self._session

    @_answering(pb.GetMetadata.Response)
    def GetMetadata(self, request: Any) -> Any:  # noqa: N802
        """Name the resources, data sources and functions."""
        del request
        return pb.GetMetadata.Response(
            server_capabilities=_CAPABILITIES,
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in RESOURCES],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in data.KINDS],
            functions=[pb.GetMetadata.FunctionMetadata(name=name) for name in functions.FUNCTIONS],
        )

    @_answering(pb.GetProviderSchema.Response)
    def GetProviderSchema(self, request: Any) -> Any:  # noqa: N802
        """Return every schema."""
        del request
        return _schemas()

    @_answering(pb.ValidateProviderConfig.Response)
    def ValidateProviderConfig(self, request: Any) -> Any:  # noqa: N802
        """Refuse provider arguments that would do nothing here."""
        config = tables.PROVIDER.decode(request.config) or {}
        for name in _UNSUPPORTED:
            if config.get(name):
                raise Refusal(f"{name} is not supported", "The stand-in has no index of resource types for it.", name)
        return pb.ValidateProviderConfig.Response()

    @_answering(pb.ConfigureProvider.Response)
    def ConfigureProvider(self, request: Any) -> Any:  # noqa: N802
        """Take the provider's arguments; what they say about credentials is not used, tokens come from the machine."""
        config = tables.PROVIDER.decode(request.config) or {}
        if self._client is None:
            self._client = ArmClient(access(self._environ))
        self._stopped = threading.Event()
        self._session = Session(
            client=self._client,
            subscription=config.get("subscription_id") or self._client.access.subscription,
            stopped=self._stopped,
            ignore_no_op_changes=config.get("ignore_no_op_changes") is not False,
        )
        return pb.ConfigureProvider.Response()

    @_answering(pb.ValidateResourceConfig.Response)
    def ValidateResourceConfig(self, request: Any) -> Any:  # noqa: N802
        """Refuse a resource that can be known to be wrong."""
        kind = RESOURCES[request.type_name]
        kind.validate(kind.schema.decode(request.config) or {})
        return pb.ValidateResourceConfig.Response()

    @_answering(pb.ValidateDataResourceConfig.Response)
    def ValidateDataResourceConfig(self, request: Any) -> Any:  # noqa: N802
        """Accept: what a data source asks is checked when it is asked."""
        del request
        return pb.ValidateDataResourceConfig.Response()

    @_answering(pb.UpgradeResourceState.Response)
    def UpgradeResourceState(self, request: Any) -> Any:  # noqa: N802
        """Return the state of a resource from the state file's JSON."""
        schema = RESOURCES[request.type_name].schema
        if request.version != schema.version:
            detail = f"The state of {request.type_name} has version {request.version}, not {schema.version}: apply it"
            raise Refusal("State of another provider version", f"{detail} once with a provider 2.x.")
        state = schema.from_state(request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=schema.encode(state))

    @_answering(pb.ReadResource.Response)
    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Return what the service has now."""
        kind = RESOURCES[request.type_name]
        state = kind.schema.decode(request.current_state)
        if state is None:
            return pb.ReadResource.Response(new_state=request.current_state)
        outcome = kind.read(self.session, state, _private(request.private))
        return pb.ReadResource.Response(new_state=kind.schema.encode(outcome.state), private=_packed(outcome))

    @_answering(pb.PlanResourceChange.Response)
    def PlanResourceChange(self, request: Any) -> Any:  # noqa: N802
        """Return the planned state."""
        kind = RESOURCES[request.type_name]
        proposed = kind.schema.decode(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        change = Change(
            config=kind.schema.decode(request.config) or {},
            planned=proposed,
            prior=kind.schema.decode(request.prior_state),
            private=_private(request.prior_private),
        )
        outcome = kind.plan(self.session, change)
        return pb.PlanResourceChange.Response(
            planned_state=kind.schema.encode(_storable(kind, outcome.state)),
            requires_replace=[_path(name) for name in outcome.replace],
            planned_private=_packed(outcome),
        )

    def ApplyResourceChange(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Create, update or delete; on a refusal the state stays what it was, or what a failed creation left."""
        del context
        kind = RESOURCES[request.type_name]
        try:
            outcome = self._apply(kind, request)
        except Exception as fault:  # noqa: BLE001  whatever it is, Terraform must keep its state
            return pb.ApplyResourceChange.Response(
                new_state=request.prior_state, private=request.planned_private, diagnostics=[_diagnostic(fault)]
            )
        return pb.ApplyResourceChange.Response(
            new_state=kind.schema.encode(_storable(kind, outcome.state)),
            private=_packed(outcome),
            diagnostics=[_diagnostic(outcome.refusal)] if outcome.refusal else [],
        )

    def _apply(self, kind: Kind, request: Any) -> Outcome:
        prior, planned = kind.schema.decode(request.prior_state), kind.schema.decode(request.planned_state)
        if planned is None:
            if prior is not None:
                kind.destroy(self.session, prior)
            return Outcome(None)
        config = kind.schema.decode(request.config) or {}
        return kind.apply(self.session, Change(config, planned, prior, _private(request.planned_private)))

    @_answering(pb.ImportResourceState.Response)
    def ImportResourceState(self, request: Any) -> Any:  # noqa: N802
        """Return the state of a resource that is there already."""
        kind = RESOURCES[request.type_name]
        state = kind.schema.encode(kind.adopt(self.session, request.id))
        found = pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=state, private=b"{}")
        return pb.ImportResourceState.Response(imported_resources=[found])

    @_answering(pb.MoveResourceState.Response)
    def MoveResourceState(self, request: Any) -> Any:  # noqa: N802
        """Refuse a move between resource types."""
        detail = f"{request.source_type_name} cannot become {request.target_type_name} here: import the resource."
        raise Refusal("Cannot move between resource types", detail)

    @_answering(pb.ReadDataSource.Response)
    def ReadDataSource(self, request: Any) -> Any:  # noqa: N802
        """Return what a data source finds."""
        kind = data.KINDS[request.type_name]
        found = kind.read(self.session, kind.schema.decode(request.config) or {})
        return pb.ReadDataSource.Response(state=kind.schema.encode(found))

    @_answering(pb.GetFunctions.Response)
    def GetFunctions(self, request: Any) -> Any:  # noqa: N802
        """Return the functions."""
        del request
        made = {name: function.proto() for name, function in functions.FUNCTIONS.items()}
        return pb.GetFunctions.Response(functions=made)

    def CallFunction(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Call a function."""
        del context
        return functions.answer(request)

    def StopProvider(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """End what is being waited for: Terraform was interrupted."""
        del request, context
        self._stopped.set()
        return pb.StopProvider.Response()


_CAPABILITIES = pb.ServerCapabilities(get_provider_schema_optional=True)


@functools.cache
def _schemas() -> pb.GetProviderSchema.Response:
    return pb.GetProviderSchema.Response(
        server_capabilities=_CAPABILITIES,
        provider=tables.PROVIDER.proto(),
        resource_schemas={name: kind.schema.proto() for name, kind in RESOURCES.items()},
        data_source_schemas={name: kind.schema.proto() for name, kind in data.KINDS.items()},
        functions={name: function.proto() for name, function in functions.FUNCTIONS.items()},
    )


def _storable(kind: Kind, state: Values | None) -> Values | None:
    """Return a state without the values that must not be written anywhere."""
    secret = [name for name, attribute in kind.schema.attributes.items() if attribute.write_only]
    return None if state is None else {**state, **dict.fromkeys(secret)}


def _private(raw: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(raw) if raw else {}
    return found


def _packed(outcome: Outcome) -> bytes:
    return json.dumps(dict(outcome.private)).encode()


def _path(name: str) -> pb.AttributePath:
    return pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=name)])
