"""The inputs of a job: checked when it is submitted, and put where its command finds them when it starts.

Modes: ``ReadOnlyMount`` is a shared copy of the content; ``Download`` a copy of the job's own; ``Direct`` the address;
``EvalMount`` and ``EvalDownload`` the files that an MLTable names.
"""

from __future__ import annotations

import os
import shutil
import ssl
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

from mlops_kit.local import uris
from mlops_kit.local.arm.wire import ArmError, BadRequestError, concerning
from mlops_kit.local.providers import versions
from mlops_kit.local.runs import content
from mlops_kit.local.runs.asset_types import DATA, FILE, MODELS, collection
from mlops_kit.local.runs.states import JobFailedError
from mlops_kit.local.settings import Instance

if TYPE_CHECKING:
    from mlops_kit.local.arm.store import Resource
    from mlops_kit.local.plane import Plane
    from mlops_kit.local.runs.content import ContentCache, Copy

DEFAULT_MODE = "ReadOnlyMount"
EVALUATED = ("EvalMount", "EvalDownload")
_WEB_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Bound:
    """An input in place: the text that the command gets, and the shared copies that it must leave as they are."""

    text: str
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What is needed to put one input in place. ``folder`` is the job's own, and does not exist yet."""

    plane: Plane
    cache: ContentCache
    workspace: str
    name: str
    given: Mapping[str, Any]
    folder: Path

    @property
    def kind(self) -> str:
        """Return the type of the input."""
        return str(self.given["jobInputType"])

    @property
    def uri(self) -> str:
        """Return the address of the input."""
        return str(self.given["uri"])


def completed(plane: Plane, workspace: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input with what the service fills in; 400 or 404 where it cannot be used."""
    kind = given.get("jobInputType")
    target = f"inputs.{name}"
    if kind == "literal":
        return dict(given)
    if kind not in (*DATA, *MODELS):
        known = ", ".join(("literal", *DATA, *MODELS))
        raise BadRequestError(f"The input '{name}' has the type '{kind}'; known types: {known}.", target=target)
    if not given.get("uri"):
        return dict(given)  # an optional input that was left out
    mode = given.get("mode") or DEFAULT_MODE
    if mode not in MODES:
        raise BadRequestError(f"The input '{name}' has the mode '{mode}', which no input can have.", target=target)
    if mode in EVALUATED and kind != "mltable":
        raise BadRequestError(f"The input '{name}' is of type {kind}; {mode} is for mltable only.", target=target)
    with concerning(f"{target}.uri"):
        _asset(plane, workspace, kind, str(given["uri"]))
    return {**given, "mode": mode}


def _asset(plane: Plane, workspace: str, kind: str, uri: str) -> Resource | None:
    """Return the asset that an input names, 404 where there is none; None where the input names something else."""
    location = uris.parse(uri, workspace)
    if isinstance(location, uris.RegistryReference):
        location = location.asset
    if not isinstance(location, uris.AssetReference):
        return None
    where = location.kind or collection(kind)
    return versions.find_version(plane, location.workspace, where, location.name, location.version or location.label)


def _check_type(source: Source) -> None:
    """Refuse a data asset of another type: the service accepts such a job, which then cannot read its input."""
    asset = _asset(source.plane, source.workspace, source.kind, source.uri)
    if asset and (kind := asset.properties.get("dataType", source.kind)) != source.kind:
        *_, name, _, version = asset.id.split("/")
        raise JobFailedError(
            f"The input '{source.name}' is declared as {source.kind}, but the data asset '{name}:{version}' is {kind}."
        )


def bind(source: Source) -> Bound | None:
    """Put an input in place; None for an optional one without a value. Raises JobFailedError naming the input."""
    if source.given.get("jobInputType") == "literal":
        value = source.given.get("value")
        return None if value is None else Bound(str(value))
    if not source.given.get("uri"):
        return None
    try:
        _check_type(source)
        return MODES[str(source.given["mode"])](source)
    except (ArmError, OSError) as error:
        raise JobFailedError(f"The input '{source.name}' ({source.uri}) could not be read: {error}") from error


def _direct(source: Source) -> Bound:
    location = uris.settle(source.plane, uris.parse(source.uri, source.workspace), kind=collection(source.kind))
    return Bound(uris.long_form(location) or source.uri)


def _mounted(source: Source) -> Bound:
    copy = _copy(source)
    return Bound(str(_downloaded_web(source))) if copy is None else Bound(str(copy.path), (copy,))


def _downloaded(source: Source) -> Bound:
    copy = _copy(source)
    path = _downloaded_web(source) if copy is None else content.private(copy, source.folder)
    return Bound(str(path))


def _copy(source: Source) -> Copy | None:
    """Return the shared copy of the content; None where it is on the web."""
    location = uris.settle(source.plane, uris.parse(source.uri, source.workspace), kind=collection(source.kind))
    if isinstance(location, uris.WebAddress):
        return None
    container, path = uris.resolve(source.plane, location)
    if source.kind == FILE:
        return source.cache.file(source.plane.blobs, container, path)
    return source.cache.folder(source.plane.blobs, container, path)


def _downloaded_web(source: Source) -> Path:
    location = uris.settle(source.plane, uris.parse(source.uri, source.workspace), kind=collection(source.kind))
    url = location.url if isinstance(location, uris.WebAddress) else source.uri
    if source.kind != FILE:
        raise JobFailedError(
            f"The input '{source.name}' is a {source.kind} at {url}: a web address has no list of its files, so only a"
            " uri_file can be read from it."
        )
    return fetch(source.plane, url, source.folder)


def fetch(plane: Plane, url: str, folder: Path) -> Path:
    """Download a web address into a folder, through the router: what it refuses, a job cannot have either."""
    if not url.lower().startswith(("http://", "https://")):
        raise JobFailedError(f"{url} is in a storage account that the local control plane does not have.")
    instance = Instance.read(plane.settings.instance_file)
    proxy = f"http://127.0.0.1:{instance.proxy_port}" if instance else ""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy, "https": proxy}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    )
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (unquote(urlsplit(url).path).rpartition("/")[2] or "data")
    with opener.open(url, timeout=_WEB_SECONDS) as answer, target.open("wb") as output:
        shutil.copyfileobj(answer, output)
    return target


def _evaluated(source: Source) -> Bound:
    """Put the files that an MLTable names into a folder of the job's own: linked (EvalMount) or copied."""
    table = _copy(source)
    if table is None:
        raise JobFailedError(f"The input '{source.name}': an MLTable at a web address cannot be evaluated.")
    document = yaml.safe_load((table.path / "MLTable").read_text(encoding="utf-8")) or {}
    copies, files = [table], dict[str, Path]()
    for entry in document.get("paths") or []:
        for how, where in entry.items():
            copy, found = _named(source, table, how, str(where))
            if not found:
                raise JobFailedError(f"The input '{source.name}': its MLTable names '{where}', which matches nothing.")
            copies.append(copy)
            files |= found
    put: Callable[[Path, Path], object] = os.link if source.given["mode"] == "EvalMount" else shutil.copyfile
    for name, file in files.items():
        target = source.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            put(file, target)
    return Bound(str(source.folder), tuple(dict.fromkeys(copies)))


def _named(source: Source, table: Copy, how: str, where: str) -> tuple[Copy, dict[str, Path]]:
    """Return the files that one entry of an MLTable's ``paths`` names, by the name they get."""
    copy, rest = table, where.removeprefix("./").strip("/")
    if "://" in where or where.startswith("azureml:"):
        fixed = where if how != "pattern" else where.partition("*")[0].rpartition("/")[0]
        rest = where[len(fixed) :].strip("/")
        container, path = uris.resolve(source.plane, uris.parse(fixed, source.workspace), kind="data")
        if how == "file":
            copy = source.cache.file(source.plane.blobs, container, path)
            return copy, {copy.path.name: copy.path}
        copy = source.cache.folder(source.plane.blobs, container, path)
    return copy, {
        file.relative_to(copy.path).as_posix(): file
        for file in sorted(_matching(copy.path, how, rest))
        if file.is_file() and file.name != "MLTable"
    }


def _matching(root: Path, how: str, rest: str) -> Iterable[Path]:
    if how == "pattern":
        return root.glob(rest)
    return root.joinpath(rest).rglob("*") if how == "folder" else [root / rest]


MODES: dict[str, Callable[[Source], Bound]] = {
    "ReadOnlyMount": _mounted,
    "Download": _downloaded,
    "Direct": _direct,
    "EvalMount": _evaluated,
    "EvalDownload": _evaluated,
}
