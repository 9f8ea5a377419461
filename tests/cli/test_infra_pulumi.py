"""The Pulumi engine of this machine as the commands see it: typed changes, secrets masked, faults in one sentence."""

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.errors import OperationFailed
from mlops_kit.infra.changes import Changes
from mlops_kit.infra.engine import EndedEarly
from mlops_kit.infra.saved_plan import Planned, StalePlanError

PROJECT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "22222222-0000-0000-0000-000000000001"
SECRET = "a secret of the environment"
EMPTY = Planned(
    Changes("dev", "pulumi"), json.dumps({"command": "preview", "steps": [], "outputs": {}, "messages": []}).encode()
)
GROUP = """
from pulumi_azure_native import resources
resources.ResourceGroup("group", resource_group_name="rg-engine", location="local")
"""

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_azure_native") is None,
    reason="the packages of Pulumi are not installed: pip install 'mlops_kit[infra]'",
)


@pytest.fixture
def engine(tmp_path, local_workspace) -> Callable[[str], Any]:
    """Return the engine over a program that is given as text."""
    from mlops_kit.cli.infra_pulumi import LocalPulumi
    from mlops_kit.local.iac.pulumi_engine import Stack

    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")

    def make(text: str) -> Any:
        (folder / "__main__.py").write_text(f"import os\nimport pulumi\n{text}", encoding="utf-8")
        environ = {**os.environ, "DB_PASSWORD": SECRET}
        return LocalPulumi(Stack(folder, "dev", tmp_path / "state.json", environ, adopts=True))

    return make


def test_what_the_program_says_has_no_secrets_and_its_outputs_know_theirs(engine):
    made = engine(
        "pulumi.log.info('password ' + os.environ['DB_PASSWORD'])\nprint('printed', os.environ['DB_PASSWORD'])\n"
        "pulumi.export('hidden', pulumi.Output.secret('x'))\npulumi.export('none', None)\npulumi.export('shown', [1])\n"
    )
    planned = made.plan()
    assert planned.changes == Changes("dev", "pulumi", outputs=("hidden", "shown"))
    assert b"hidden" not in planned.content
    heard: list[str] = []
    made.apply(planned, heard.append)
    assert "password [secret]" in heard
    assert "printed [secret]" in heard
    assert SECRET not in "".join(heard)
    found = made.outputs()
    assert {name: one.shown for name, one in found.items()} == {"hidden": "[secret]", "shown": [1]}
    assert made.plan().changes == Changes("dev", "pulumi")


def test_a_program_that_fails_is_one_sentence_without_secrets(engine):
    made = engine("raise ValueError('wrong: ' + os.environ['DB_PASSWORD'])\n")
    for attempt in (made.plan, lambda: made.require_fresh(EMPTY)):
        with pytest.raises(OperationFailed) as error:
            attempt()
        assert "ValueError: wrong: [secret]" in str(error.value)
        assert "goes on" not in str(error.value)  # nothing was to be changed
    with pytest.raises(EndedEarly, match="\n0 changes were made; 'mlops-kit infra up -e dev --engine pulumi' goes on$"):
        made.apply(EMPTY, lambda _: None)


def test_a_resource_is_created_told_by_its_physical_name_and_destroyed_as_planned(engine, arm):
    made = engine(GROUP)
    (created,) = made.plan().changes.items
    assert (created.action, created.address, created.name) == ("create", "group", "rg-engine")
    made.apply(made.plan(), lambda _: None)
    assert made.owned() == (created.id,)
    planned = made.plan(destroys=True)
    assert [(item.action, item.id) for item in planned.changes.items] == [("delete", created.id)]
    with pytest.raises(StalePlanError):
        made.apply(Planned(planned.changes, b"other", destroys=True), lambda _: None)
    made.apply(planned, lambda _: None)
    assert arm("GET", created.id) is None
    assert made.plan(destroys=True).changes == Changes("dev", "pulumi")


def test_a_plan_that_no_longer_holds_is_stale_in_the_sentence_of_every_engine(engine):
    made = engine(GROUP)
    planned = made.plan()
    made = engine(GROUP.replace("rg-engine", "rg-other"))
    with pytest.raises(StalePlanError) as error:
        made.apply(planned, lambda _: None)
    assert str(error.value) == (
        "the plan is stale, nothing was changed: what would be done has changed (the same resources, other values)"
        " since it was made; plan again"
    )


def test_a_group_that_exists_is_taken_over_with_its_differences(engine, arm):
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-engine"
    arm("PUT", group, {"location": "local", "tags": {"by": "hand"}})
    made = engine(GROUP.replace('location="local"', 'location="local", tags={"by": "program"}'))
    (adopted,) = made.plan().changes.items
    assert adopted.action == "adopt"
    assert [(one.path, one.before, one.after) for one in adopted.differences] == [("tags.by", "hand", "program")]
    made.apply(made.plan(), lambda _: None)
    assert arm("GET", group)["tags"] == {"by": "program"}
    made.apply(made.plan(destroys=True), lambda _: None)


def test_what_is_there_is_refused_where_nothing_is_to_be_taken_over(engine, arm):
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-engine"
    arm("PUT", group, {"location": "local"})
    made = engine(GROUP)
    with pytest.raises(OperationFailed, match="exists and is not in the state of this stack"):
        replace(made, stack=replace(made.stack, adopts=False)).plan()
    arm("DELETE", group)


def test_by_hand_the_program_sees_what_our_commands_see(called, tmp_path, monkeypatch, arm):
    """The file that `infra values --write` writes is all that the CLI gives to the program; git it reads itself."""
    from mlops_kit.local.iac import pulumi_engine
    from mlops_kit.local.iac.pulumi_engine import Stack

    for name in ("environments", "infra", "modules"):
        ignored = shutil.ignore_patterns("__pycache__", ".terraform*", "Pulumi.*.yaml")
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=ignored)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(f"{'c0ffee' * 6}abcd\n", encoding="utf-8")
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
    given = ("tags.commit=${git.short_commit}", "infra.suffix=byhand", "workspace.resource_group=rg-by-hand")
    settings = [argument for text in given for argument in ("--set", text)]
    code, _, err = called("infra", "values", "-C", str(tmp_path), "-e", "dev", *settings, "--write")
    assert code == 0, err
    file = tmp_path / "infra" / "terraform" / "dev.tfvars.json"
    terraform = json.loads(file.read_text(encoding="utf-8"))["resource_group"]
    assert terraform["tags"] == {"project": "mlops-kit", "environment": "dev", "commit": "c0ffeec0ff"}
    arm("PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-by-hand", {"location": "westeurope", "tags": {}})
    stack = Stack(tmp_path / "infra" / "pulumi", "dev", tmp_path / "state.json", dict(os.environ), adopts=True)
    report = pulumi_engine.preview(stack)
    pulumi = next(step for step in report.steps if step.name == "resource-group")
    tags = {one.path.removeprefix("tags."): one.after for one in pulumi.differences}
    assert tags == {**terraform["tags"], "mlops-kit-engine": "pulumi"}
