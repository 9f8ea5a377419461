"""A model that a job wrote: registered under the next version, linked to its job, with the job's metrics if wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlops_kit.errors import UsageError
from mlops_kit.workspace import artifacts, assets, failures, jobs, tracking
from mlops_kit.workspace.connect import Workspace

TYPES = ("custom_model", "mlflow_model", "triton_model")


@dataclass(frozen=True, slots=True)
class FromJob:
    """What to register: a file or folder among the files of a job, under a name."""

    job: str
    path: str
    name: str
    kind: str | None = None  # one of TYPES; None looks for an MLmodel file
    description: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    from_metrics: bool = False


def register(workspace: Workspace, wish: FromJob) -> assets.Registered:
    """Register the next version of a model; raises :class:`UsageError` with the job's files for a path it has not."""
    from azure.ai.ml.entities import Model

    job = jobs.get(workspace, wish.job)
    path = wish.path.strip("/")
    with failures.readable(f"look at the files of the job {wish.job!r}"):
        found = artifacts.files(workspace.store, wish.job, path)
    if not found:
        raise jobs.missing_path(workspace, wish.job, wish.path)
    model = Model(
        name=wish.name,
        path=f"azureml://jobs/{job.name}/outputs/artifacts/paths/{path}",
        type=wish.kind or _type(found, path),
        description=wish.description or None,
        tags=wish.tags,
        properties=_metrics(workspace, wish) | wish.properties,
    )
    return assets.create(workspace.ml, "model", model)


def _type(found: tuple[artifacts.Artifact, ...], path: str) -> str:
    """Return what a model is by its files: MLflow writes an MLmodel file into the folder."""
    return "mlflow_model" if any(each.path == f"{path}/MLmodel" for each in found) else "custom_model"


def _metrics(workspace: Workspace, wish: FromJob) -> dict[str, str]:
    """Return the job's metrics as text, if they are wanted."""
    if not wish.from_metrics:
        return {}
    with failures.readable(f"read the metrics of the job {wish.job!r}"):
        metrics = tracking.logged(workspace.tracking, wish.job).metrics
    if not metrics:
        raise UsageError(f"the job {wish.job!r} logged no metrics; leave --from-metrics out")
    return {key: repr(value) for key, value in metrics.items()}
