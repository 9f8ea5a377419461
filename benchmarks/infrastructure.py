"""Plan and apply with the real terraform binary and with the Pulumi engine, on the local control plane."""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rounds import Row, Target, medians, seconds_of

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
_Clock = Callable[[], float]
_Seconds = dict[str, float]
_NUMBERS = itertools.count(1)
_CALM = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
_LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
# A group and identities in it: of every row the time is that of the tools, the resources are as small as can be.
_MAIN = """
terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}
resource "azapi_resource" "group" {
  type                   = "Microsoft.Resources/resourceGroups@2024-03-01"
  name                   = "%(group)s"
  location               = "westeurope"
  body                   = {}
  response_export_values = []
}
resource "azapi_resource" "identity" {
  count                  = %(count)d
  type                   = "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31"
  parent_id              = azapi_resource.group.id
  name                   = "id-${count.index}"
  location               = "westeurope"
  body                   = {}
  response_export_values = ["properties.principalId"]
}
"""
# The same for Pulumi.
_PROGRAM = """
from pulumi_azure_native import managedidentity, resources
group = resources.ResourceGroup("group", resource_group_name="%(group)s", location="westeurope")
for index in range(%(count)d):
    managedidentity.UserAssignedIdentity(
        f"id-{index}", resource_name_=f"id-{index}", resource_group_name=group.name, location="westeurope")
"""


def measure(project: Path, rounds: int, plane: int) -> list[Row]:
    """Return the rows; the control plane runs as the process ``plane``, and ``os.environ`` leads to it."""
    from mlops_kit.local.iac import azapi

    with tempfile.TemporaryDirectory() as scratch, azapi.attach({**os.environ, **_CALM}) as environ:
        folder = Path(scratch)
        return [*_terraform(folder, environ, rounds, plane), *_program(project, folder, environ, rounds)]


def _terraform(folder: Path, attached: Mapping[str, str], rounds: int, plane: int) -> list[Row]:
    """Time 30 and 300 resources with an attached provider, and 30 with one that terraform starts by itself."""
    from mlops_kit.local.iac.azapi.mirror import write_mirror

    mirror = {**os.environ, **_CALM, "TF_CLI_CONFIG_FILE": str(write_mirror(folder / "mirror"))}
    clock = functools.partial(_processor_seconds, plane)
    few = _Timed(lambda: _small(folder, attached, 30, clock))
    many = _Timed(lambda: _small(folder, attached, 300, clock))
    started = _Timed(lambda: _small(folder, mirror, 30))
    alone = _Timed(lambda: _written(folder, attached, _terraform_alone(300, few.mean("bytes") / 30)))
    few.life()  # what a provider does once is no part of what grows
    for _ in range(rounds):
        for one in (few, started, many, alone):
            one.run()
    ours = Row(
        "the same apply, processor time of the provider and the control plane",
        many.mean("ours"),
        "10 x 30 resources",
        10 * few.mean("ours"),
        "s",
        _LINEAR,
    )
    spawned = "a provider that terraform starts"
    no_provider = ("terraform alone, as much state", alone, 1)
    return [
        _row("terraform plan, 30 resources", few, "plan", (spawned, started, 1), Target(at_most=0.5)),
        _row("terraform apply, 30 resources", few, "apply", (spawned, started, 1), Target(at_most=0.8)),
        _row("terraform destroy, 30 resources", few, "destroy", (spawned, started, 1), Target()),
        _row("terraform plan, 300 resources", many, "plan", ("10 x 30 resources", few, 10), _LINEAR),
        _row("terraform apply, 300 resources", many, "apply", no_provider, Target()),
        ours,
        _row("terraform destroy, 300 resources", many, "destroy", no_provider, Target()),
        _row("terraform second plan, 300 resources", many, "second", ("10 x 30 resources", few, 10), _LINEAR),
    ]


_LINEAR = Target(ratio_at_most=1.2)
# Resources of terraform's own, which need no provider.
_ALONE = 'resource "terraform_data" "one" {\n  count = %d\n  input = "%s"\n}\n'
_ALONE_BYTES = 445  # of one of them in the state file, without its text, which stands there twice


def _terraform_alone(count: int, state: float) -> str:
    """Return resources with that many bytes of state each: terraform writes all of them after each of them."""
    return _ALONE % (count, "x" * int((state - _ALONE_BYTES) / 2))


def _processor_seconds(plane: int) -> float:
    """Return the processor time that this process, which serves the provider, and the control plane have used."""
    import psutil

    used = psutil.Process(plane).cpu_times()
    return time.process_time() + float(used.user + used.system)


@dataclass
class _Timed:
    """What each step of a life took, round by round."""

    life: Callable[[], Mapping[str, float]]
    rounds: list[Mapping[str, float]] = field(default_factory=list)

    def run(self) -> None:
        self.rounds.append(self.life())

    def of(self, step: str) -> float:
        return statistics.median(one[step] for one in self.rounds)

    def mean(self, step: str) -> float:
        """Return the mean, for what is counted in ticks of a clock that are not much shorter."""
        return statistics.mean(one[step] for one in self.rounds)


def _row(what: str, ours: _Timed, step: str, peer: tuple[str, _Timed, int], target: Target) -> Row:
    name, timed, times = peer
    return Row(what, ours.of(step), name, times * timed.of(step), "s", target)


def _small(scratch: Path, environ: Mapping[str, str], count: int, clock: _Clock = time.process_time) -> _Seconds:
    return _written(scratch, environ, _MAIN % {"group": f"rg-small-{next(_NUMBERS)}", "count": count - 1}, clock)


def _written(scratch: Path, environ: Mapping[str, str], main: str, clock: _Clock = time.process_time) -> _Seconds:
    folder = scratch / f"folder-{next(_NUMBERS)}"
    folder.mkdir()
    (folder / "main.tf").write_text(main, encoding="utf-8")
    return _life(folder, environ, clock)


def _life(folder: Path, environ: Mapping[str, str], clock: _Clock = time.process_time) -> _Seconds:
    """Return the seconds of each command on a folder, from the first plan to nothing left.

    ``apply`` carries out the plan that was kept, as a pipeline does; ``ours`` is what a clock counts meanwhile, and
    ``bytes`` the size of the state then.
    """
    run = ("terraform", f"-chdir={folder}")
    seconds_of(*run, "init", env=environ)
    plan, before = seconds_of(*run, "plan", "-out=plan.bin", env=environ), clock()
    return {
        "plan": plan,
        "apply": seconds_of(*run, "apply", "plan.bin", env=environ),
        "ours": clock() - before,
        "bytes": (folder / "terraform.tfstate").stat().st_size,
        "second": seconds_of(*run, "plan", "-detailed-exitcode", env=environ),
        "destroy": seconds_of(*run, "destroy", "-auto-approve", env=environ),
    }


def _program(project: Path, scratch: Path, attached: Mapping[str, str], rounds: int) -> list[Row]:
    """Time the environment dev of the project with both engines, and 30 and 300 resources with Pulumi."""

    def pulumi() -> float:
        return _up(project / "infra" / "pulumi", scratch, {"set": _own_names()})

    def terraform() -> float:
        with _root(project, scratch, attached) as folder:
            life = _life(folder, attached)
        return life["plan"] + life["apply"]

    def small(count: int) -> Callable[[], float]:
        return lambda: _up(_small_program(scratch, count), scratch, {})

    found = medians({"pulumi": pulumi, "terraform": terraform, "few": small(30), "many": small(300)}, rounds)
    whole = Row(
        "the environment dev, Pulumi engine", found["pulumi"], "terraform", found["terraform"], "s", Target(at_most=3)
    )
    return [whole, Row("pulumi up, 300 resources", found["many"], "10 x 30 resources", 10 * found["few"], "s", _LINEAR)]


def _up(folder: Path, scratch: Path, config: Mapping[str, object]) -> float:
    """Return the seconds of an up from nothing, which previews first."""
    from mlops_kit.local.iac import pulumi_engine

    state = scratch / f"pulumi-{next(_NUMBERS)}.json"
    environ = {**os.environ, "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    stack = pulumi_engine.Stack(folder, "dev", state, environ, config)
    began = time.perf_counter()
    pulumi_engine.up(stack)
    taken = time.perf_counter() - began
    pulumi_engine.destroy(stack)
    return taken


def _small_program(scratch: Path, count: int) -> Path:
    folder = scratch / f"program-{next(_NUMBERS)}"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n", encoding="utf-8")
    main = _PROGRAM % {"group": f"rg-{folder.name}", "count": count - 1}
    (folder / "__main__.py").write_text(main, encoding="utf-8")
    return folder


def _own_names() -> list[str]:
    own = f"bench{next(_NUMBERS)}"
    return [f"workspace.resource_group=rg-{own}", f"workspace.name=mlw-{own}", f"infra.stem={own}"]


@contextmanager
def _root(project: Path, scratch: Path, attached: Mapping[str, str]) -> Iterator[Path]:
    """Copy the project's root with its modules and the values of dev."""
    from mlops_kit import environments
    from mlops_kit.infra import settings

    copy = scratch / f"root-{next(_NUMBERS)}"
    for part in ("infra/terraform", "modules/terraform"):
        shutil.copytree(project / part, copy / part)
    process = {**attached, "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    dev = environments.load(project / "environments", "dev", overrides=_own_names(), process=process)
    folder = copy / "infra" / "terraform"
    values = settings.values(settings.infrastructure(dev))
    (folder / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    (folder / "override.tf").write_text(_LOCAL_BACKEND, encoding="utf-8")
    yield folder
    shutil.rmtree(copy)
