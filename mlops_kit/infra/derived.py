"""What an environment gets where it says nothing and the profile neither: values that depend on other values."""

from __future__ import annotations

from mlops_kit.environments import Environment
from mlops_kit.infra.wanted import Wanted


def location(environment: Environment) -> str:
    """Return the region as Azure spells it: ``West Europe`` is ``westeurope``."""
    return region(str(environment.require("location")))


def region(text: str) -> str:
    """Return the name of a region in lower case and without blanks."""
    return text.replace(" ", "").lower()


def workspace_access(tree: Wanted) -> str:
    """Return who reaches the workspace: what is given, else private endpoints only, where there is a network."""
    part = tree["workspace"]
    return part.get("public_access") or ("all" if part["network"] == "public" else "disabled")


def endpoints(tree: Wanted) -> tuple[str, ...]:
    """Return what gets a private endpoint: what is given, else what the network needs."""
    given = tree["workspace"].get("private_endpoints")
    if given is not None:
        return tuple(dict.fromkeys(given))
    registry = () if tree["container_registry"] is None or registry_access(tree) == "all" else ("container_registry",)
    return {
        "public": (),
        "managed": ("workspace",),
        "byo_vnet": ("workspace", "storage_blob", "storage_file", "key_vault", *registry),
    }[tree["workspace"]["network"]]


def build_cluster(tree: Wanted) -> str | None:
    """Return the cluster that builds images: what is given, else one where the container registry is closed."""
    if "image_build_compute" in tree["workspace"]:
        return tree["workspace"]["image_build_compute"]  # type: ignore[no-any-return]
    is_closed = tree["container_registry"] is not None and registry_access(tree) != "all"
    return "image-build" if is_closed else None


def is_private_registry(tree: Wanted) -> bool:
    """Say whether the container registry needs what only its tier Premium has: no public access, private endpoints."""
    return registry_access(tree) != "all" or "container_registry" in endpoints(tree)


def registry_access(tree: Wanted) -> str:
    """Return who reaches the container registry: what is given, else everybody where there is no network."""
    closed = "all" if tree["workspace"]["network"] == "public" else "disabled"
    return (tree["container_registry"] or {}).get("public_access") or closed


def is_private_cluster(tree: Wanted) -> bool:
    """Say whether the API of the Kubernetes cluster has a private address only."""
    given = tree["kubernetes"].get("private_cluster")
    return tree["workspace"]["network"] != "public" if given is None else bool(given)


def identities(tree: Wanted) -> tuple[str, ...]:
    """Return the identities that an environment needs: of the workspace, of jobs, of workflows, of events."""
    workflows = ["deployment"] if tree["identity_and_access"]["github"] is not None else []
    events = ["trigger"] if tree["data_trigger"] is not None else []
    return ("workspace", "compute", *workflows, *events)
