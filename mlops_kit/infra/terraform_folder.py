"""The folder that terraform runs in: a copy of the root module in the environment's state folder.

The copy holds what only this run adds (where the state is, what is taken over), so that nothing is ever written into
the project, and two environments can be worked on at the same time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.files import write_private
from mlops_kit.infra.state import State

ROOT = Path("infra") / "terraform"
MODULES = Path("modules") / "terraform"
PLAN = ".tfplan"  # how the files of plans end that are in the state folder while terraform works with them
_LOCK = ".terraform.lock.hcl"
_IMPORTS = "adopted.tf"
_BACKEND = "backend_override.tf"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where one environment's terraform lives: ``project`` is the project folder, ``state`` a private folder."""

    project: Path
    state: Path
    environment: str

    @property
    def root(self) -> Path:
        """Return the copy of the root module; the modules are where the root looks for them, two folders above."""
        return self.state / "program" / ROOT

    @property
    def data(self) -> Path:
        """Return the folder for what ``terraform init`` installs."""
        return self.state / "data"

    @property
    def values(self) -> Path:
        """Return the file of the values; it ends as terraform wants files that it is given by name."""
        return self.state / "values.tfvars.json"

    @property
    def state_file(self) -> Path:
        """Return the state of an environment whose state is a file on this machine."""
        return self.state / "terraform.tfstate"

    @property
    def stamp(self) -> Path:
        """Return the file that says for which program ``terraform init`` has ended well."""
        return self.state / "initialised"

    def initialised(self) -> str:
        """Return the digest of that program, nothing where there is none."""
        there = self.stamp.is_file() and self.data.is_dir()
        return self.stamp.read_text(encoding="utf-8") if there else ""

    @property
    def backend(self) -> Path:
        """Return the file that says where the state is, when it is not ``state_file``."""
        return self.state / "backend.hcl"


def program(project: Path) -> Iterator[Path]:
    """Yield the files that the program is made of; override files are a person's own, and say where another state is.

    Raises:
        UsageError: The project has none.
    """
    root = project / ROOT
    if not (root / "main.tf").is_file():
        raise UsageError(f"{root} holds no main.tf: the project has no Terraform program")
    found = (path for path in root.iterdir() if path.name.endswith((".tf", ".tf.json")))
    yield from (path for path in found if not path.name.removesuffix(".json").endswith("override.tf"))
    yield from (path for path in (project / MODULES).glob("*/*.tf"))


def assigned(arguments: Mapping[str, Any]) -> str:
    """Return arguments of terraform as lines of HCL, aligned as ``terraform fmt`` does it."""
    width = max(map(len, arguments))
    return "".join(f"{name:<{width}} = {json.dumps(value)}\n" for name, value in arguments.items())


def lay_out(
    folder: Folder, values: Mapping[str, Any], *, local: bool, kept: State | None = None, imports: str = ""
) -> str:
    """Write the copy and the values; return a digest of what ``terraform init`` depends on.

    ``local`` says that the provider is the stand-in, ``kept`` where the state is if not in a file of ``folder``.
    """
    folder.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.root.mkdir(parents=True, exist_ok=True)
    for left in folder.state.glob(f"*{PLAN}"):  # by a run that was killed; it holds values in clear
        left.unlink()
    wanted = {path.name: path.read_bytes() for path in program(folder.project) if path.parent == folder.project / ROOT}
    if kept is None:
        backend = f'terraform {{\n  backend "local" {{\n    path = {json.dumps(str(folder.state_file))}\n  }}\n}}\n'
        wanted[_BACKEND] = backend.encode()
    else:
        write_private(folder.backend, assigned(kept.terraform))
    if (lock := folder.project / ROOT / _LOCK).is_file() and not local:
        wanted[_LOCK] = lock.read_bytes()
    before = _present(folder.root)
    for name in set(before) - set(wanted) - {_LOCK}:
        (folder.root / name).unlink()
    for name, content in wanted.items():
        if before.get(name) != content:
            (folder.root / name).write_bytes(content)
    if imports:
        (folder.root / _IMPORTS).write_text(imports, encoding="utf-8")
    _link(folder.state / "program" / "modules", folder.project / "modules")
    write_private(folder.values, json.dumps(values, indent=1))
    seen = [*(wanted[name] for name in sorted(wanted)), repr(kept).encode()]
    modules = [path.read_bytes() for path in sorted((folder.project / MODULES).glob("*/*.tf"))]
    return hashlib.sha256(b"\0".join([*seen, *modules])).hexdigest()


def _present(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink() or link.is_file():
        link.unlink()
    elif link.is_dir():
        shutil.rmtree(link)
    link.symlink_to(target, target_is_directory=True)
