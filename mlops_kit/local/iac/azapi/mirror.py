"""A filesystem mirror that holds the provider, for people who run terraform by hand under the local environment.

``python -m mlops_kit.local.iac.azapi.mirror FOLDER`` writes one and prints what ``TF_CLI_CONFIG_FILE`` must name.
"""

from __future__ import annotations

import json
import platform
import shlex
import sys
from pathlib import Path

VERSION = "2.13.0"  # the release whose schemas are in ``tables``
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def write_mirror(folder: Path) -> Path:
    """Write a mirror with the provider into ``folder``; return the CLI configuration for ``TF_CLI_CONFIG_FILE``.

    The lock file that ``terraform init`` then writes holds the hash of this stand-in: it must not be committed, or
    the real provider is refused.
    """
    target = f"{platform.system().lower()}_{_MACHINES[platform.machine().lower()]}"
    place = folder / "registry.terraform.io" / "azure" / "azapi" / VERSION / target
    place.mkdir(parents=True, exist_ok=True)
    program = place / f"terraform-provider-azapi_v{VERSION}"
    program.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mlops_kit.local.iac.azapi\n", encoding="utf-8"
    )
    program.chmod(0o755)
    configuration = folder / "terraform.rc"
    mirror = f'    path = {json.dumps(str(folder))}\n    include = ["registry.terraform.io/azure/azapi"]\n'
    text = "provider_installation {\n  filesystem_mirror {\n" + mirror + "  }\n}\n"
    configuration.write_text(text, encoding="utf-8")
    return configuration


if __name__ == "__main__":
    print(write_mirror(Path(sys.argv[1]).resolve()))  # noqa: T201  the path is the result
