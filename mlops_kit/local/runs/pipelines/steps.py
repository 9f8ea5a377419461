"""The steps of a pipeline: a node and its component become the body of a job; one builder per type of node."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local import uris
from mlops_kit.local.arm.wire import ArmError, BadRequestError, concerning
from mlops_kit.local.drivers import copy_data
from mlops_kit.local.providers import versions
from mlops_kit.local.runs import command_line, parallel
from mlops_kit.local.runs.pipelines import bindings, flow, ports
from mlops_kit.local.runs.sweeps import spaces

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

LATER = {
    "automl": "Automated ML steps are run by a later version of the local control plane.",
    "spark": "Spark steps need a Spark pool, which only Azure has; write the step as a command.",
}
_DISTRIBUTIONS = {"pytorch": "PyTorch", "mpi": "Mpi", "tensorflow": "TensorFlow", "ray": "Ray"}
_POLICIES = {"bandit": "Bandit", "median_stopping": "MedianStopping", "truncation_selection": "TruncationSelection"}
_OF_SWEEP = frozenset({"jobType", "limits", "identity", "services", "resources"})  # not of the trial of a sweep
_NO_PACKAGES = "azureml://registries/azureml/environments/AzureML-minimal/labels/latest"
# Below these keys of a node, names are the user's own.
_OWN_NAMES = frozenset({"environment_variables", "inputs", "outputs", "tags", "properties", "services"})


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a pipeline, and the component that it runs."""

    name: str
    node: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Return the type of the node, which decides how it is run."""
        return str(self.node.get("type") or self.spec.get("type") or "command").lower()

    @property
    def title(self) -> str:
        """Return how a message begins that is about the step."""
        return f"The step '{self.name}'"

    @property
    def is_deterministic(self) -> bool:
        """Say whether the same inputs give the same outputs, so that an earlier run may stand for this one."""
        return str(self.spec.get("is_deterministic", True)).lower() == "true"


@dataclass(frozen=True, slots=True)
class Given:
    """What a step is given: its inputs and outputs as the body of a job has them, and where it runs."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    compute: str | None
    settings: Mapping[str, Any]


def read(plane: Plane, workspace: str, name: str, node: Mapping[str, Any]) -> Step:
    """Return a node with its component; 400, 404 or 501 where it cannot be run."""
    kind = str(node.get("type") or "command").lower()
    if kind in LATER:
        raise ArmError(501, "NotImplemented", f"{LATER[kind]} The step '{name}' is one.", target=f"jobs.{name}.type")
    reference = node.get("componentId") or (node.get("trial") or {}).get("componentId")
    if not reference:
        raise BadRequestError(f"The step '{name}' names no component.", target=f"jobs.{name}.component")
    with concerning(f"jobs.{name}.component"):
        spec = component(plane, workspace, str(reference))
    step = Step(name, node, spec)
    if step.kind not in BUILDERS:
        known = ", ".join((*BUILDERS, *LATER))
        raise BadRequestError(f"'{step.kind}' is not a type of step; known types: {known}.", target=f"jobs.{name}.type")
    return step


def component(plane: Plane, workspace: str, reference: str) -> dict[str, Any]:
    """Return the spec of a component, with the resources that it keeps to itself."""
    location = uris.parse(reference if ":" in reference or "/" in reference else f"azureml:{reference}", workspace)
    if isinstance(location, uris.RegistryReference):
        location = location.asset
    if not isinstance(location, uris.AssetReference):
        raise BadRequestError(f"'{reference}' does not name a component.")
    wanted = location.version or location.label
    found = versions.find_version(plane, location.workspace, "components", location.name, wanted)
    spec: dict[str, Any] = found.properties["componentSpec"]
    return {**{key: value for key, value in found.private.items() if key == "resources"}, **spec}


def node_outputs(step: Step, whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a step; ``whole`` are those of its pipeline, which some of them are.

    Raises:
        MisfitError: The component has no such output, or the pipeline has none.
    """
    given = step.node.get("outputs") or {}
    declared = dict(ports.outputs(step.spec.get("outputs")))
    for name in given.keys() - _values(step):
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ports.MisfitError(f"{step.title} has no output '{name}' (its component has: {known})")
    return {name: {**port, **_output(step, given.get(name), whole)} for name, port in declared.items()}


def _values(step: Step) -> set[str]:
    """Return the names of the outputs that are no data but a value."""
    return {name for name, port in (step.spec.get("outputs") or {}).items() if flow.is_control(port or {})}


def written_values(step: Step) -> dict[str, Any]:
    """Return the values that the command of a step writes to a file, as outputs of its job."""
    read = command_line.references(str(step.spec.get("command") or ""))
    return {name: {"jobOutputType": "uri_file"} for name in sorted(_values(step)) if f"outputs.{name}" in read}


def _output(step: Step, given: Any, whole: Mapping[str, Any]) -> dict[str, Any]:
    if bound := bindings.pipeline_output(given):
        if bound not in whole:
            raise ports.MisfitError(f"{step.title} is bound to an output '{bound}' that the pipeline does not have")
        given = whole[bound]
    kept = {key: value for key, value in bindings.camel(given or {}).items() if value is not None}
    return {key: value for key, value in kept.items() if key not in {"value", "type"}}


def properties(step: Step, given: Given) -> dict[str, Any]:
    """Return the body of the job that a step becomes, as a client would submit it."""
    node = step.node
    return {
        "displayName": node.get("display_name") or step.name,
        "description": node.get("comment") or step.spec.get("description"),
        "tags": dict(node.get("tags") or {}),
        "properties": {**(node.get("properties") or {}), "azureml.moduleName": step.spec.get("name", "")},
        "computeId": given.compute,
        "inputs": dict(given.inputs),
        "outputs": {**given.outputs, **written_values(step)},
        **BUILDERS[step.kind](step, given),
    }


def _command(step: Step, _given: Given) -> dict[str, Any]:
    node, spec = step.node, step.spec
    return {
        "jobType": "Command",
        "command": spec.get("command"),
        "codeId": _plain(spec.get("code")),
        "environmentId": _plain(node.get("environment") or spec.get("environment")),
        "environmentVariables": {
            **(spec.get("environment_variables") or {}),
            **(node.get("environment_variables") or {}),
        },
        "resources": _merged(step, "resources"),
        "limits": _merged(step, "limits"),
        "distribution": _distribution(node.get("distribution") or spec.get("distribution")),
        "identity": bindings.camel(node.get("identity")),
        "services": bindings.camel(node.get("services")) or {},
    }


def _pipeline(step: Step, given: Given) -> dict[str, Any]:
    """Return the body of a pipeline component, which is run as a pipeline of its own."""
    own = step.node.get("settings") or {}
    return {"jobType": "Pipeline", "jobs": dict(step.spec.get("jobs") or {}), "settings": {**given.settings, **own}}


def _sweep(step: Step, given: Given) -> dict[str, Any]:
    """Return the body of a sweep over a component: what is searched takes the place of some of its inputs."""
    node = step.node
    trial = {name: value for name, value in _command(step, given).items() if name not in _OF_SWEEP}
    algorithm = node.get("sampling_algorithm") or "random"
    settings = bindings.camel(algorithm) if isinstance(algorithm, Mapping) else {"type": algorithm}
    return {
        "jobType": "Sweep",
        "trial": trial,
        "searchSpace": spaces.of_job(node.get("search_space") or {}),
        "samplingAlgorithm": {**settings, "samplingAlgorithmType": str(settings.pop("type", "random"))},
        "objective": bindings.camel(node.get("objective") or {}),
        "earlyTermination": _policy(node.get("early_termination")),
        "limits": bindings.camel(node.get("limits") or {}),
        "identity": bindings.camel(node.get("identity")),
        "resources": _merged(step, "resources"),
    }


def _parallel(step: Step, given: Given) -> dict[str, Any]:
    """Return the body of a job whose command hands mini batches of an input to workers."""
    said = {key: value for key, value in step.node.items() if value is not None and key not in {"inputs", "outputs"}}
    whole = {**step.spec, **said, "resources": {**(step.spec.get("resources") or {}), **(said.get("resources") or {})}}
    task = whole.get("task") or {}
    try:
        asked = parallel.settings(whole)
    except parallel.ParallelError as error:
        raise ports.MisfitError(f"{step.title} cannot be run: {error}") from None
    as_command = {**step.spec, "environment": task.get("environment"), "code": task.get("code")}
    body = _command(Step(step.name, {**step.node, "distribution": None}, as_command), given)
    return {
        **body,
        "command": parallel.command(task, str(whole["input_data"])),
        "inputs": {name: _whole_table(one) for name, one in given.inputs.items()},
        "parallel": asked,
    }


def _data_transfer(step: Step, given: Given) -> dict[str, Any]:
    """Return the body of a job that copies inputs into an output, as a Data Factory does on the service."""
    said = {**step.spec, **{key: value for key, value in step.node.items() if value is not None}}
    task, mode = str(said.get("task") or "copy_data"), str(said.get("data_copy_mode") or copy_data.MODES[0])
    if task != "copy_data" or mode not in copy_data.MODES:
        raise ports.MisfitError(f"{step.title} cannot be run here: '{task}' and '{mode}' are no copy of data")
    if len(given.outputs) != 1:
        raise ports.MisfitError(f"{step.title} copies into one output, not into {len(given.outputs)}")
    sources = " ".join(f"${{{{inputs.{name}}}}}" for name in given.inputs)
    command = f"python {shlex.quote(copy_data.__file__)} {mode} ${{{{outputs.{next(iter(given.outputs))}}}}} {sources}"
    body = _command(Step(step.name, {**step.node, "distribution": None}, {**step.spec, "command": command}), given)
    return {**body, "environmentId": _NO_PACKAGES, "resources": {}}


def _whole_table(given: dict[str, Any]) -> dict[str, Any]:
    """Return an input as the driver reads it: of a table the table itself, from which it cuts mini batches."""
    evaluated = str(given.get("mode") or "").startswith("Eval")
    return {**given, "mode": "ReadOnlyMount"} if evaluated else given


def _policy(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    found: dict[str, Any] = bindings.camel(given)
    kind = str(found.pop("type", "") or found.get("policyType", ""))
    return {**found, "policyType": _POLICIES.get(kind.lower(), kind)}


BUILDERS: dict[str, Callable[[Step, Given], dict[str, Any]]] = {
    "command": _command,
    "pipeline": _pipeline,
    "sweep": _sweep,
    "parallel": _parallel,
    "data_transfer": _data_transfer,
}


def _merged(step: Step, key: str) -> dict[str, Any]:
    """Return what the component says and what the node says instead."""
    merged = {**(step.spec.get(key) or {}), **(step.node.get(key) or {})}
    found: dict[str, Any] = bindings.camel(merged, _OWN_NAMES.__contains__)
    return {name: value for name, value in found.items() if value is not None}


def _distribution(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    found: dict[str, Any] = bindings.camel(given)
    kind = str(found.pop("type", "") or found.get("distributionType", ""))
    numbers = {name: int(value) for name, value in found.items() if isinstance(value, str) and value.isdigit()}
    return {**found, **numbers, "distributionType": _DISTRIBUTIONS.get(kind.lower(), kind)}


def _plain(reference: Any) -> str | None:
    """Return a reference without the prefix that components write before ids."""
    text = str(reference) if reference else ""
    return (text.removeprefix("azureml:") if text.startswith("azureml:/subscriptions/") else text) or None
