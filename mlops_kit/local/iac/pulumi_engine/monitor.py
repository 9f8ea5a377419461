"""The two services that a Pulumi program speaks with, as the SDK calls them: resource monitor and engine.

They are given to the SDK as objects (``pulumi.runtime.Settings`` takes an address or an object), with the requests and
responses of the protocol (pulumi/resource.proto, pulumi/engine.proto): no sockets, and the program is none the wiser.
"""

# ruff: noqa: N802  the methods are called as the protocol names them
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn

from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, resource_pb2

from mlops_kit.local.iac.pulumi_engine.cloud import Cloud
from mlops_kit.local.iac.pulumi_engine.deployment import Deployment
from mlops_kit.local.iac.pulumi_engine.state import Entry
from mlops_kit.local.iac.pulumi_engine.values import UNKNOWN, decode, encode, has_unknown
from mlops_kit.local.iac.pulumi_engine.wishes import STACK_TYPE, Wish, urn_of, wish_of

# What is not named here the SDK does without, or it says so itself: transforms, hooks, remote components.
_FEATURES = {
    "secrets": resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    "aliasSpecs": resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    "deletedWith": resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
}


class Monitor:
    """Answers the calls of one program. The SDK makes them from several threads."""

    def __init__(self, deployment: Deployment, cloud: Cloud, project: str, stack: str, *, dry_run: bool) -> None:
        self._deployment = deployment
        self._cloud = cloud
        self._project = project
        self._stack = stack
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._aliases: dict[str, tuple[str, ...]] = {}
        self.outputs: dict[str, Any] = {}

    def GetDeploymentInfo(self, request: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:
        """Say what kind of run this is."""
        del request
        return resource_pb2.DeploymentInfo(
            project=self._project,
            stack=self._stack,
            dryRun=self._dry_run,
            supportedFeatures=list(_FEATURES.values()),
        )

    def SupportsFeature(self, request: resource_pb2.SupportsFeatureRequest) -> resource_pb2.SupportsFeatureResponse:
        """Say whether the engine has a feature: what older SDKs ask instead of GetDeploymentInfo."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURES)

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        """Bring a resource into the state that the program describes."""
        subject = f"{request.type} {request.name!r}"
        if request.remote:
            raise self._deployment.refused(f"{subject}: components of other languages need the Pulumi CLI")
        if request.HasField("replacement_trigger"):  # the only option that the SDK sends without asking for it first
            raise self._deployment.refused(f"{subject}: the engine does not offer the option replacement_trigger")
        with self._lock:
            wish = wish_of(request, self._project, self._stack, self._aliases)
            self._aliases[wish.urn] = wish.aliases
        if not wish.custom or wish.type.startswith("pulumi:"):
            entry = self._deployment.component(wish)
        else:
            entry = self._deployment.custom(wish, request.provider)
        known = not (self._dry_run and self._is_new(entry))
        outputs = entry.outputs if wish.custom else {}
        return resource_pb2.RegisterResourceResponse(
            urn=entry.urn, id=entry.id if known else "", object=encode(outputs)
        )

    def _is_new(self, entry: Entry) -> bool:
        """Say whether the id of an entry is one that only an up will make."""
        return not entry.type.startswith("pulumi:") and "id" not in entry.outputs

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        """Return a resource that exists and is not the stack's: ``Class.get``."""
        urn = urn_of(self._project, self._stack, request.parent, request.type, request.name)
        marks = frozenset(request.additionalSecretOutputs)
        wish = Wish(urn, request.type, request.name, True, {}, request.parent, secret_outputs=marks)
        if has_unknown(decode(request.properties)) or not request.id or request.id == _unknown_text():
            return resource_pb2.ReadResourceResponse(urn=urn, unknown=True)
        entry = self._deployment.read(wish, request.id)
        return resource_pb2.ReadResourceResponse(urn=urn, id=entry.id, properties=encode(entry.outputs))

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:
        """Take the outputs of a component; those of the stack are what ``outputs`` returns."""
        outputs = decode(request.outputs)
        if request.urn.split("::")[2] == STACK_TYPE:
            self.outputs = outputs
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        """Answer a function of the provider: who the program acts as, and a token for that."""
        answer = _INVOKES.get(request.tok)
        if answer is None:
            offered = ", ".join(sorted(_INVOKES))
            raise self._deployment.refused(
                f"the function {request.tok} is not offered by the engine, which has {offered}"
            )
        subscription = self._deployment.subscription(request.provider)
        return resource_pb2.ResourceInvokeResponse(**{"return": encode(answer(self._cloud, subscription))})

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty) -> empty_pb2.Empty:
        """Let the program end at once: there are no hooks to wait for."""
        return request

    def _cannot(self, request: Any) -> NoReturn:
        raise self._deployment.refused(f"the engine does not offer {type(request).__name__.removesuffix('Request')}")

    Call = ExistsResource = RegisterStackTransform = RegisterStackInvokeTransform = _cannot
    RegisterResourceHook = RegisterErrorHook = RegisterPackage = _cannot


def _unknown_text() -> str:
    return str(encode({"id": UNKNOWN})["id"])


def _client_config(cloud: Cloud, subscription: str) -> dict[str, Any]:
    claims = cloud.claims()
    return {
        "clientId": claims.get("appid", claims["oid"]),
        "objectId": claims["oid"],
        "subscriptionId": subscription,
        "tenantId": claims["tid"],
    }


def _client_token(cloud: Cloud, subscription: str) -> dict[str, Any]:
    del subscription
    return {"token": cloud.token()}


_INVOKES: dict[str, Callable[[Cloud, str], dict[str, Any]]] = {
    "azure-native:authorization:getClientConfig": _client_config,
    "azure-native:authorization:getClientToken": _client_token,
}


class Engine:
    """Takes what a program says, and keeps the root resource."""

    def __init__(self, on_message: Callable[[str, str], None]) -> None:
        self._on_message = on_message
        self._root = ""

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:
        """Pass a message on; those for debugging are not kept."""
        if request.severity > engine_pb2.DEBUG:
            self._on_message(engine_pb2.LogSeverity.Name(request.severity).lower(), request.message)
        return empty_pb2.Empty()

    def GetRootResource(self, request: engine_pb2.GetRootResourceRequest) -> engine_pb2.GetRootResourceResponse:
        """Return the URN of the stack."""
        del request
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: engine_pb2.SetRootResourceRequest) -> engine_pb2.SetRootResourceResponse:
        """Keep the URN of the stack."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()
