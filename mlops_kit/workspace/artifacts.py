"""The files a job has written: list, read and download them, straight from the workspace's artifact store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_kit.errors import UsageError

STORE = "workspaceartifactstore"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a job; ``path`` is relative to the job, ``size`` in bytes."""

    path: str
    size: int


def open_store(ml: Any, credential: Any, datastore: str = STORE) -> Any:
    """Return a ContainerClient on a datastore, that of artifacts by default: by its secret, else by the credential."""
    from azure.storage.blob import ContainerClient

    store = ml.datastores.get(datastore, include_secrets=True)
    secrets = store.credentials
    secret = getattr(secrets, "account_key", None) or getattr(secrets, "sas_token", None) or credential
    address = f"{store.protocol or 'https'}://{store.account_name}.blob.{store.endpoint or 'core.windows.net'}"
    return ContainerClient(address, store.container_name, credential=secret)


def files(container: Any, job: str, prefix: str = "") -> tuple[Artifact, ...]:
    """Return the files of a job, sorted; ``prefix`` is a file or a folder among them."""
    root = _root(job)
    wanted = prefix.strip("/")
    found = (
        Artifact(blob.name.removeprefix(root), blob.size)
        for blob in container.list_blobs(name_starts_with=root + wanted)
        if blob.size or not (blob.metadata or {}).get("hdi_isfolder")
    )
    return tuple(sorted((each for each in found if _below(each.path, wanted)), key=lambda each: each.path))


def tail(container: Any, job: str, path: str, length: int = 64 * 1024) -> str:
    """Return the last ``length`` bytes of a text file, whole lines only."""
    blob = container.get_blob_client(_root(job) + path)
    size = blob.get_blob_properties().size
    if size == 0:
        return ""
    start = max(0, size - length)
    text = str(blob.download_blob(offset=start, length=size - start).readall().decode("utf-8", errors="replace"))
    return text.partition("\n")[2] if start else text


def download(container: Any, job: str, wanted: Iterable[Artifact], folder: Path) -> list[Path]:
    """Write files below ``folder`` under their own paths and return where they went."""
    written = []
    for artifact in wanted:
        target = _inside(folder, artifact.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            container.get_blob_client(_root(job) + artifact.path).download_blob().readinto(out)
        written.append(target)
    return written


def _root(job: str) -> str:
    """Return where the service keeps the files of a job."""
    return f"ExperimentRun/dcid.{job}/"


def _below(path: str, prefix: str) -> bool:
    """Tell whether a path is the prefix or lies in the folder of that name."""
    return not prefix or path == prefix or path.startswith(prefix + "/")


def _inside(folder: Path, path: str) -> Path:
    """Return the local path of an artifact; refuse one that would leave the folder."""
    parts = PurePosixPath(path).parts
    if ".." in parts or PurePosixPath(path).is_absolute():
        raise UsageError(f"the job holds a file named {path!r}, which would be written outside of {folder}")
    return folder.joinpath(*parts)
