"""What SDK v1 had, which is not supported any more: its packages, and its names in the scripts that a job runs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.files import local_path
from mlops_kit.checks.findings import Finding, warning
from mlops_kit.documents import Map, Scalar, displayed
from mlops_kit.errors import Place, UsageError

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator

    from mlops_kit.checks.subject import Subject

# packages -> what to write instead
PACKAGES = {
    "azureml-defaults": "jobs need `mlflow` and `azureml-mlflow`, endpoints `azureml-inference-server-http`",
    "azureml-sdk": "use `azure-ai-ml` to submit; a job needs `mlflow` only",
    "azureml-core": "only the scoring of batch deployments still needs it",
    "azureml-widgets": "remove it",
    "azureml-dataprep": "read tables with `mltable`, files with `azureml-fsspec`",
    "azureml-pipeline": "use `azure-ai-ml`",
    "azureml-train": "use `azure-ai-ml`",
    "azureml-train-core": "use `azure-ai-ml`",
    "azureml-train-automl": "use `azure-ai-ml`",
    "azureml-interpret": "use `interpret` and log the result with `mlflow`",
    "azureml-explain-model": "use `interpret` and log the result with `mlflow`",
    "azureml-contrib-interpret": "use `interpret` and log the result with `mlflow`",
    "azureml-contrib-fairness": "use `fairlearn` and log the result with `mlflow`",
    "azureml-datadrift": "use a monitor, which is a schedule with `create_monitor`",
    "opendp-smartnoise": "use `opendp` and `smartnoise-sql`",
}
FOR_BATCHES = {"azureml-core"}  # what runs the mini-batches of a step or deployment imports it

# modules -> what to use instead; a longer name goes before a shorter one
MODULES = {
    "azureml.core": "log with `mlflow`, take data and parameters as arguments, submit with `azure-ai-ml`",
    "azureml.data": "take the path of the input as an argument; read tables with `mltable`",
    "azureml.train": "submit with `azure-ai-ml`",
    "azureml.pipeline": "submit with `azure-ai-ml`",
    "azureml.widgets": "remove it; runs are shown in the studio",
    "azureml.interpret": "use `interpret` and log the result with `mlflow`",
    "azureml.explain": "use `interpret` and log the result with `mlflow`",
    "azureml.contrib.interpret": "use `interpret` and log the result with `mlflow`",
    "azureml.contrib.fairness": "use `fairlearn` and log the result with `mlflow`",
    "azureml.datadrift": "use a monitor, which is a schedule with `create_monitor`",
    "azureml.telemetry": "remove it",
}
# names in these modules -> what to use instead, where that is more than their module says
NAMES = {
    "Run": "log with `mlflow`, which knows the run of the job",
    "Workspace": "take the paths of inputs as arguments; where a workspace is needed, `azure.ai.ml.MLClient`",
    "Experiment": "`mlflow.set_experiment`; in a job the experiment is set",
    "Dataset": "an input of the job, whose path is an argument",
    "Datastore": "an input of the job, whose path is an argument",
    "Model": "an input of type `mlflow_model` or `custom_model`; register with `mlflow` or an output",
    "Environment": "an environment file, named in the job",
    "CondaDependencies": "a conda file, named in the environment",
    "DockerConfiguration": "an environment with `image` or `build`",
    "ScriptRunConfig": "a file of type `command`",
    "RunConfiguration": "the keys of the job: `environment`, `compute`, `resources`",
    "Estimator": "a file of type `command`",
    "ComputeTarget": "`compute:` of the job",
    "AmlCompute": "a file of type `amlcompute`",
    "AksCompute": "attach the cluster as `kubernetes`",
    "DatabricksCompute": "a job of type `spark`",
    "PythonScriptStep": "a step of type `command` in a pipeline file",
    "ParallelRunStep": "a step of type `parallel` in a pipeline file",
    "ParallelRunConfig": "a step of type `parallel`, or a batch deployment",
    "DatabricksStep": "a step of type `spark` in a pipeline file",
    "SynapseSparkStep": "a step of type `spark` in a pipeline file",
    "HyperDriveStep": "a step of type `sweep` in a pipeline file",
    "AutoMLStep": "a step of type `automl` in a pipeline file",
    **dict.fromkeys(
        ("CommandStep", "EstimatorStep", "ModuleStep", "MpiStep", "NotebookRunnerStep", "RScriptStep"),
        "a step of type `command` in a pipeline file",
    ),
    **dict.fromkeys(
        ("AdlaStep", "AzureBatchStep", "KustoStep"),
        "a step of type `command` that calls the service; v2 has no such step",
    ),
    "DataTransferStep": "a step of type `data_transfer` in a pipeline file",
    "Pipeline": "a file of type `pipeline`",
    "PublishedPipeline": "a batch endpoint with a deployment of a pipeline component",
    "PipelineData": "an output of a step",
    "OutputFileDatasetConfig": "an output of a step",
    "PipelineParameter": "an input of the pipeline",
    "Schedule": "a schedule file",
    "ScheduleRecurrence": "`trigger:` of a schedule file",
    "InferenceConfig": "`code_configuration` and `environment` of a deployment",
    "AciWebservice": "a managed online endpoint",
    "AksWebservice": "a Kubernetes online endpoint",
    "LocalWebservice": "a local deployment of an online endpoint",
    "Webservice": "an online endpoint",
    "HyperDriveConfig": "a file of type `sweep`",
    "AutoMLConfig": "a file of type `automl`",
    "ExplanationClient": "`mlflow.log_artifacts`",
    "DataDriftDetector": "a monitor, which is a schedule with `create_monitor`",
    "AlertConfiguration": "`alert_notification` of a monitor",
    "RunDetails": "remove it; runs are shown in the studio",
}
# Where the code of a job, component or deployment may be named, beside its top level.
HOLDERS = ("trial", "task", "code_configuration", "component")
SKIPPED = {"__pycache__", "node_modules", "site-packages"}
_MENTION = re.compile(rb"\bazureml\b")


def packages(found: Iterable[tuple[Scalar, str]], *, runs_batches: bool | None) -> Iterator[Finding]:
    """Warn of packages of SDK v1, given as written and by their names.

    ``runs_batches`` says whether they are for a batch deployment or a parallel step, whose driver needs one of them;
    None where that is not known.
    """
    for node, name in found:
        if name in PACKAGES and (name not in FOR_BATCHES or runs_batches is False):
            yield warning("MK0502", node.place, f"`{node.text}` belongs to the retired SDK", PACKAGES[name])


@dataclass(frozen=True, slots=True)
class Use:
    """A name of SDK v1 that a script imports."""

    module: str
    name: str
    place: Place

    def finding(self) -> Finding:
        """Return what is wrong with it."""
        written = f"{self.module}.{self.name}" if self.name else self.module
        hint = NAMES.get(self.name) or next(hint for known, hint in MODULES.items() if _is_in(self.module, known))
        return warning("MK0540", self.place, f"`{written}` belongs to the retired SDK", f"instead: {hint}")


def check(subject: Subject) -> list[Finding]:
    """Return the names of SDK v1 in the scripts of the local code folders of a job, component or deployment."""
    files, findings = subject.files, list[Finding]()
    runs_batches = "batch_deployment" in subject.kind or subject.kind == "parallel_component"
    for code, is_batch in _codes(subject.root, runs_batches):
        path = local_path(code.text, subject.folder)
        if path and files.kind(path) and not files.is_outside(path):
            uses = files.once(_uses, path)
            findings += [use.finding() for use in uses if not (is_batch and _is_in(use.module, "azureml.core"))]
    return findings


def _codes(owner: Map, runs_batches: bool) -> list[tuple[Scalar, bool]]:
    """Return the code that a map names, and whether it is given mini-batches."""
    found: list[tuple[Scalar, bool]] = []
    for entry in owner.entries:
        key, value = entry.key.text, entry.value
        if key == "code" and isinstance(value, Scalar):
            found.append((value, runs_batches))
        elif key in HOLDERS and isinstance(value, Map):
            found += _codes(value, runs_batches or key == "task")
        elif key == "jobs" and isinstance(value, Map):
            steps = (step.value for step in value.entries)
            found += [code for step in steps if isinstance(step, Map) for code in _codes(step, runs_batches)]
    return found


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _uses(code: str) -> tuple[Use, ...]:
    """Return what the scripts of a code folder import of SDK v1; only files that ship count."""
    mentioning = [path for path in _scripts(code) if _MENTION.search(_content(path))]
    if not mentioning:
        return ()
    shipped = _shipped(code)
    return tuple(use for path in mentioning if not shipped or path in shipped for use in _imports(path))


def _scripts(code: str) -> Iterator[str]:
    if code.endswith(".py"):
        yield code
    for folder, folders, names in os.walk(code):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        paths = (os.path.join(folder, name) for name in sorted(names) if name.endswith(".py"))  # noqa: PTH118
        yield from (path for path in paths if not os.path.islink(path))  # noqa: PTH114  it may lead anywhere


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # a link that leads nowhere is reported when the code is packaged


def _shipped(code: str) -> frozenset[str]:
    """Return the files of a code folder that ship; none where that cannot be said."""
    from mlops_kit import packaging  # only a script that mentions azureml needs it

    try:
        return frozenset(os.path.normpath(f"{code}/{file.path}") for file in packaging.package(Path(code)).files)
    except UsageError:
        return frozenset()


def _imports(path: str) -> Iterator[Use]:
    """Yield the names of SDK v1 that a script imports; a script that Python cannot read imports nothing."""
    import ast  # only a script that mentions azureml needs it

    try:
        tree = ast.parse(_content(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    shown = displayed(Path(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [(alias.name, "", alias) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [_named(node.module, alias) for alias in node.names]
        else:
            continue
        for module, name, alias in found:
            if any(_is_in(module, known) for known in MODULES):
                yield Use(module, name, Place(shown, alias.lineno, alias.col_offset + 1))


def _named(module: str, alias: ast.alias) -> tuple[str, str, ast.alias]:
    """Return module and name of ``from module import name``; ``from azureml import core`` imports a module."""
    return (f"azureml.{alias.name}", "", alias) if module == "azureml" else (module, alias.name, alias)
