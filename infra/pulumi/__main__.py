"""The Pulumi program: declare the infrastructure of the environment that the stack is called after."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(FOLDER))  # `pulumi up` starts here; the modules are two folders above

import pulumi  # noqa: E402

from mlops_kit import environments  # noqa: E402
from mlops_kit.infra import settings  # noqa: E402
from mlops_kit.project import Project  # noqa: E402
from modules.pulumi.landing_zone import landing_zone  # noqa: E402

project = Project(FOLDER)
overrides = pulumi.Config().get_object("set") or []  # what `--set path=value` is to our own commands
environment = environments.load(project.environments, pulumi.get_stack(), overrides=overrides, git=project.git)
for name, value in landing_zone(settings.infrastructure(environment)).items():
    pulumi.export(name, value)
