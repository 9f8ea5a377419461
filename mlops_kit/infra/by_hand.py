"""What terraform and pulumi need beside their programs to make an environment by hand, without our command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_kit.files import write_private
from mlops_kit.infra import pulumi, terraform_folder
from mlops_kit.infra.state import State


def write(
    project: Path, environment: str, values: Mapping[str, Any], overrides: tuple[str, ...], kept: State | None
) -> tuple[Path, ...]:
    """Write the files of an environment beside both programs, for your eyes only; return their paths.

    The backend file of an environment that does not say where its state is kept is deleted.
    """
    found = dict(_files(project, environment, values, overrides, kept))
    for path, text in found.items():
        if text is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, text)
    return tuple(path for path, text in found.items() if text is not None)


def _files(
    project: Path, environment: str, values: Mapping[str, Any], overrides: tuple[str, ...], kept: State | None
) -> Iterator[tuple[Path, str | None]]:
    written = f"# Written by 'mlops-kit infra values -e {environment} --write'"
    root = project / terraform_folder.ROOT
    yield root / f"{environment}.tfvars.json", f"{json.dumps(values, indent=2, ensure_ascii=False)}\n"
    backend = f"{written}.\n{terraform_folder.assigned(kept.terraform)}" if kept else None
    yield root / "backend" / f"{environment}.hcl", backend
    login = f"# pulumi login '{kept.pulumi}'\n" if kept else ""
    own = pulumi.configuration(project, environment, values["resource_group"], overrides)
    file = pulumi.configuration_file(project, environment)
    # The choice of the secrets provider is made once, and then stands in this file.
    choice = f"# pulumi stack init {environment} --secrets-provider 'azurekeyvault://VAULT.vault.azure.net/keys/KEY'\n"
    yield file, f"{written}; keys of other names are kept.\n{login}{choice}{own}"
