"""The curated environments of Azure ML that are known here, and the packages that each of their images carries.

The table follows the public definitions of the images (repository Azure/azureml-assets, folders
``assets/training`` and ``assets/inference``). Pins are written so that a wheel exists for the stated Python version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import NotFoundError

PREFIX = "AzureML-"  # under this prefix every workspace offers the environments of the registry
REGISTRY = "azureml"
_EPOCH = "2024-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class CuratedEnvironment:
    """One curated environment. ``name`` is also the prefix under which older, longer names of the image are known."""

    name: str
    version: str  # the version that ``latest`` means; any other number is answered with the same packages
    python: str
    packages: tuple[str, ...]  # pip requirements

    @property
    def conda(self) -> str:
        """Return the packages as a conda file (JSON is YAML)."""
        dependencies = [f"python={self.python}", "pip", {"pip": list(self.packages)}]
        return json.dumps({"name": self.name, "channels": ["conda-forge"], "dependencies": dependencies})


_TRACKING = ("mlflow-skinny>=2.16,<3.18", "setuptools<81")
_TOOLS = ("matplotlib>=3.5,<4", "psutil>=5.8", "tqdm>=4.66", *_TRACKING)
_SKLEARN = ("pandas>=1.5.3,<2", "numpy>=1.22,<2", "scipy>=1.10,<1.14", "joblib>=1.2,<2", *_TOOLS)
_OLD = ("pandas>=1.1,<1.4", "numpy>=1.19,<1.23", "scipy>=1.5,<1.11", "joblib>=1.0,<1.3", *_TOOLS)
_TORCH = ("numpy>=1.26,<2", "pandas>=2.0,<3", "scikit-learn>=1.5,<2", *_TOOLS)

# The longest matching name wins, so longer names may refine shorter ones.
TABLE = (
    CuratedEnvironment("sklearn-0.24", "5", "3.8", ("scikit-learn>=0.24,<0.25", *_OLD)),
    CuratedEnvironment("sklearn-1.0", "33", "3.9", ("scikit-learn>=1.0,<1.1", *_OLD)),
    CuratedEnvironment("sklearn-1.1", "36", "3.9", ("scikit-learn>=1.1,<1.2", *_OLD)),
    CuratedEnvironment("sklearn-1.5", "35", "3.10", ("scikit-learn>=1.5,<1.6", *_SKLEARN)),
    CuratedEnvironment(
        "lightgbm-3.3", "61", "3.10", ("lightgbm>=3.3,<5", "xgboost>=1.7,<2", "scikit-learn>=1.5,<1.6", *_SKLEARN)
    ),
    CuratedEnvironment("tensorflow-2.16", "30", "3.10", ("tensorflow>=2.16,<2.17", "pandas>=2,<3", *_TOOLS)),
    CuratedEnvironment("acpt-pytorch-1.12", "8", "3.9", ("torch>=1.12,<1.13", *_OLD)),
    CuratedEnvironment("acpt-pytorch-2.2", "40", "3.10", ("torch>=2.2,<2.3", *_TORCH)),
    CuratedEnvironment("acpt-pytorch-2.8", "10", "3.10", ("torch>=2.8,<2.9", *_TORCH)),
    CuratedEnvironment("minimal", "2", "3.11", _TRACKING),
    CuratedEnvironment("mlflow-py312-inference", "10", "3.12", ("pandas>=2,<3", "scikit-learn>=1.5,<2", *_TRACKING)),
)


def is_curated(name: str) -> bool:
    """Say whether a workspace environment's name is reserved for the curated ones."""
    return name.lower().startswith(PREFIX.lower())


def find(name: str) -> CuratedEnvironment | None:
    """Return the entry for a curated name, with or without ``AzureML-`` in front, or None."""
    plain = name[len(PREFIX) :] if is_curated(name) else name
    fitting = [entry for entry in TABLE if _fits(plain.lower(), entry.name)]
    return max(fitting, key=lambda entry: len(entry.name), default=None)


def _fits(name: str, entry: str) -> bool:
    return name == entry or name.startswith((f"{entry}-", f"{entry}."))


def named(name: str) -> CuratedEnvironment:
    """Return the entry for a curated name; 404 with the known names where there is none."""
    entry = find(name)
    if entry is None:
        known = ", ".join(PREFIX + known.name for known in TABLE)
        raise NotFoundError(f"The curated environment '{name}' (known here: {known})")
    return entry


def resource(workspace: str, name: str, version_or_label: str) -> Resource:
    """Return a version of a curated environment as the workspace shows it; 404 where it is not known."""
    entry = named(name)
    version = _version(entry, name, version_or_label)
    target = f"{workspace}/environments/{name}/versions/{version}"
    return Resource(_body(target, version, "workspaces", _properties(entry, version)), {})


def registry_resource(name: str, version_or_label: str) -> Resource:
    """Return a version of a curated environment as the registry ``azureml`` shows it."""
    entry = named(name)
    version = _version(entry, name, version_or_label)
    target = f"azureml://registries/{REGISTRY}/environments/{name}/versions/{version}"
    return Resource(_body(target, version, "registries", _properties(entry, version)), {})


def container(workspace: str, name: str) -> Resource:
    """Return a curated environment's container as the workspace shows it."""
    return _container(f"{workspace}/environments/{name}", name, "workspaces")


def containers(workspace: str) -> list[Resource]:
    """Return the containers of all curated environments as the workspace shows them."""
    return [container(workspace, PREFIX + entry.name) for entry in TABLE]


def registry_container(name: str) -> Resource:
    """Return a curated environment's container as the registry ``azureml`` shows it."""
    return _container(f"azureml://registries/{REGISTRY}/environments/{name}", name, "registries")


def _container(target: str, name: str, parent: str) -> Resource:
    entry = named(name)
    properties = {"latestVersion": entry.version, "nextVersion": str(int(entry.version) + 1), "isArchived": False}
    body = _body(target, name, parent, {**properties, "tags": {}, "properties": {}})
    return Resource({**body, "type": str(body["type"]).removesuffix("/versions")}, {})


def _version(entry: CuratedEnvironment, name: str, version_or_label: str) -> str:
    if version_or_label in {"", "latest"}:
        return entry.version
    if not version_or_label.isdecimal():
        raise NotFoundError(f"Version '{version_or_label}' of the curated environment '{name}'")
    return version_or_label


def _properties(entry: CuratedEnvironment, version: str) -> dict[str, object]:
    return {
        "environmentType": "Curated",
        "image": f"mcr.microsoft.com/azureml/curated/{entry.name}:{version}",
        "osType": "Linux",
        "description": f"Python {entry.python} with {', '.join(entry.packages)}",
        "isAnonymous": False,
        "isArchived": False,
        "tags": {"Python": entry.python},
        "properties": {"mlops_kit.python": entry.python, "mlops_kit.packages": "; ".join(entry.packages)},
        "provisioningState": "Succeeded",
    }


def _body(target: str, name: str, parent: str, properties: dict[str, object]) -> dict[str, object]:
    stamp = {"createdAt": _EPOCH, "createdBy": "Microsoft", "createdByType": "Application", "lastModifiedAt": _EPOCH}
    kind = f"Microsoft.MachineLearningServices/{parent}/environments/versions"
    return {"id": target, "name": name, "type": kind, "systemData": stamp, "properties": properties}
