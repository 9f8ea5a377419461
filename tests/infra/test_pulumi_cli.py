"""The runner of the pulumi CLI, on a program that answers as the CLI does: its JSON in, typed changes out."""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from mlops_kit.errors import UsageError
from mlops_kit.infra import pulumi
from mlops_kit.infra.changes import Changes, Difference
from mlops_kit.infra.engine import EndedEarly
from mlops_kit.infra.pulumi import Pulumi
from mlops_kit.infra.saved_plan import Planned, StalePlanError
from mlops_kit.infra.state import State
from mlops_kit.infra.tools import ToolFailed

SECRET = "a passphrase of ours"
URN = "urn:pulumi:dev::mlops-kit::mlops-kit:modules:Compute$azure-native:machinelearningservices:Compute::cpu"
STACK = "urn:pulumi:dev::mlops-kit::pulumi:pulumi:Stack::mlops-kit-dev"
GROUP = {"subscription_id": "1", "location": "westeurope"}
NO_STATE = "if command == 'stack': out({}); sys.exit()"
FROM_NO_STATE = hashlib.sha256(b"[]").digest()
ID = "/subscriptions/1/resourceGroups/rg/providers/x/computes/cpu-cluster"


@pytest.fixture
def cli(tmp_path) -> Callable[..., Pulumi]:
    """Return pulumi as a Python text would be it; ``out(...)`` prints JSON, ``record`` keeps what it was given."""
    project = tmp_path / "project"
    (project / "infra" / "pulumi").mkdir(parents=True)
    (project / "infra" / "pulumi" / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")

    def make(text: str, *overrides: str) -> Pulumi:
        binary = tmp_path / "bin" / "pulumi"
        binary.parent.mkdir(exist_ok=True)
        head = "import json, os, sys\nout = lambda value: print(json.dumps(value))\n"
        head += f"open({str(tmp_path / 'given')!r}, 'a')"
        head += ".write(json.dumps(sys.argv[1:]) + '\\n')\ncommand = sys.argv[1]\n"
        head += "value = lambda option: sys.argv[sys.argv.index(option) + 1]\n"
        binary.write_text(f"#!{sys.executable}\n{head}{text}\n", encoding="utf-8")
        binary.chmod(0o755)
        environ = {"PATH": f"{binary.parent}:{os.environ['PATH']}", "PULUMI_CONFIG_PASSPHRASE": SECRET}
        return Pulumi(project, "dev", GROUP, tmp_path / "state", environ, overrides)

    return make


def step(op: str, urn: str = URN, **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": urn, **more}


def preview(*steps: dict[str, Any]) -> str:
    export = {"deployment": {"resources": [{"urn": STACK}]}}
    return (
        f"if command == 'stack': out({export!r})\n"
        f"else:\n    open(value('--save-plan'), 'w').write('the plan')\n    out({ {'steps': list(steps)}!r})"
    )


def test_a_preview_becomes_changes_and_a_plan(cli):
    old = {"id": ID, "inputs": {"size": "a"}, "custom": True}
    new = {"inputs": {"size": "b"}, "custom": True}
    steps = [
        step("create", STACK, newState={"custom": False}),
        step("create-replacement", oldState=old, newState=new),
        step("replace", oldState=old, newState=new, replaceReasons=["size"], detailedDiff={"size": {"kind": "update"}}),
        step("delete-replaced", oldState=old),
    ]
    planned = cli(preview(*steps)).plan()
    assert planned.content.endswith(b"the plan")
    (found,) = planned.changes.items
    assert (found.address, found.name, found.id, found.action) == ("cpu", "cpu-cluster", ID, "replace")
    assert found.type == "azure-native:machinelearningservices:Compute"
    assert found.reasons == ("size cannot change in place",)
    assert found.differences == (Difference("size", "a", "b"),)


def test_the_saved_plan_is_what_up_gets_and_no_file_stays(cli, tmp_path):
    made = cli(f"{NO_STATE}\nout({{}})\nsys.exit(command != 'up' or open(value('--plan')).read() != 'the plan')")
    made.apply(Planned(Changes("dev", "pulumi"), FROM_NO_STATE + b"the plan"), lambda _: None)
    assert not (tmp_path / "state" / "plan.json").exists()


@pytest.mark.parametrize("command", [Pulumi.plan, Pulumi.outputs, Pulumi.refresh, Pulumi.owned])
def test_the_plan_of_a_run_that_was_killed_does_not_stay(command, cli, tmp_path):
    (tmp_path / "state").mkdir()
    left = tmp_path / "state" / "plan.json"
    left.write_text("values in clear", encoding="utf-8")
    command(cli(preview() if command is Pulumi.plan else "out({})"))
    assert not left.exists()


def test_progress_is_told_from_the_events_and_faults_end_the_run(cli):
    done = {"metadata": {"op": "create", "urn": URN, "new": {"custom": True}}}
    fault = {"severity": "error", "message": "refused:\n  by policy " + SECRET}
    events = [{"resOutputsEvent": done}, {"diagnosticEvent": fault}, {"resOutputsEvent": {"metadata": {"op": "same"}}}]
    heard: list[str] = []
    with pytest.raises(EndedEarly) as error:
        cli(f"{NO_STATE}\nfor one in {events!r}: out(one)\nsys.exit(255)").apply(
            Planned(Changes("dev", "pulumi"), FROM_NO_STATE), heard.append
        )
    assert heard == ["create cpu"]
    assert str(error.value).splitlines() == [
        "refused: by policy [secret]",
        "1 change was made; 'mlops-kit infra up -e dev --engine pulumi' goes on",
    ]


def test_a_plan_from_another_state_is_stale_and_pulumi_is_not_asked_to_apply_it(cli, tmp_path):
    planned = cli(preview()).plan()
    cli(preview()).require_fresh(planned)
    for attempt in (cli(NO_STATE).require_fresh, lambda plan: cli(NO_STATE).apply(plan, lambda _: None)):
        with pytest.raises(StalePlanError, match="the state of the infrastructure has changed"):
            attempt(planned)
    assert '"up"' not in (tmp_path / "given").read_text(encoding="utf-8")


def test_a_destroy_does_only_what_was_previewed(cli):
    old = {"id": ID, "custom": True}
    event = {"resourcePreEvent": {"metadata": step("delete", type="t", old=old)}}
    made = cli(f"out({event!r})")
    planned = made.plan(destroys=True)
    assert [(one.action, one.id) for one in planned.changes.items] == [("delete", ID)]
    assert made.apply(planned, lambda _: None) == planned.changes
    with pytest.raises(StalePlanError):
        made.apply(Planned(planned.changes, b"[]", destroys=True), lambda _: None)


def test_outputs_that_the_cli_masks_are_secret(cli):
    found = cli("out({'a': 1, 'b': 'x' if '--show-secrets' in sys.argv else '[secret]', 'c': None})").outputs()
    assert {name: (one.value, one.secret) for name, one in found.items()} == {
        "a": (1, False),
        "b": ("x", True),
    }


def test_drift_is_what_a_refresh_changed(cli):
    moved = {"metadata": step("update", old={"id": ID, "custom": True}, new={"custom": True}, diffs=["tags"])}
    same = {"metadata": step("same", old={"id": ID, "custom": True})}
    found = cli(f"for one in ({moved!r}, {same!r}): out({{'resOutputsEvent': one}})").refresh()
    assert [(one.action, one.name) for one in found.drift] == [("update", "cpu-cluster")]


def test_ids_are_those_of_the_exported_state(cli):
    resources = [{"custom": True, "id": ID}, {"custom": False}, {"custom": True, "id": ""}]
    assert cli(f"out({ {'deployment': {'resources': resources}}!r})").owned() == (ID,)


def test_values_of_the_command_line_go_in_a_private_file_and_never_in_arguments(cli, tmp_path):
    cli(preview(), "workspace.name=secret-name", "infra.suffix=abc").plan()
    file = tmp_path / "state" / "Pulumi.dev.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == {
        "config": {
            "azure-native:location": "westeurope",
            "azure-native:subscriptionId": "1",
            "shop:set": ["workspace.name=secret-name", "infra.suffix=abc"],
        }
    }
    given = (tmp_path / "given").read_text(encoding="utf-8")
    assert "--config-file" in given
    assert "secret-name" not in given


def test_every_command_names_the_stack_and_asks_nothing(cli, tmp_path):
    cli("out({})").owned()
    assert json.loads((tmp_path / "given").read_text(encoding="utf-8"))[-3:] == ["--stack", "dev", "--non-interactive"]


def test_a_failure_keeps_the_status_and_no_secret(cli):
    with pytest.raises(ToolFailed) as error:
        cli("print('error: wrong', os.environ['PULUMI_CONFIG_PASSPHRASE'], file=sys.stderr); sys.exit(255)").plan()
    assert str(error.value) == "pulumi read the state ended with status 255: error: wrong [secret]"
    assert error.value.status == 255


@pytest.mark.parametrize("secret", ["metadata", "deployment", "computes", "oldState"])
def test_a_secret_that_is_a_key_or_a_name_in_what_pulumi_answers_changes_nothing(cli, secret):
    answer = {"steps": [step("delete", oldState={"id": ID, "inputs": {"size": "a"}, "custom": True})]}
    state = {"deployment": {"resources": [{"custom": True, "id": ID}]}}
    made = cli(
        "if command == 'preview': open(value('--save-plan'), 'w').write('x')\n"
        f"out({answer!r} if command == 'preview' else {state!r})"
    )
    made = replace(made, environ={**made.environ, "DB_PASSWORD": secret})
    assert [(one.action, one.id) for one in made.plan().changes.items] == [("delete", ID)]
    assert made.owned() == (ID,)


def test_warnings_before_the_json_do_not_matter(cli):
    planned = cli("print('\\x1b[33mwarning: a new version\\x1b[0m')\n" + preview()).plan()
    assert planned.changes.items == ()


def test_a_project_without_a_program_is_told(tmp_path):
    with pytest.raises(UsageError, match="the project has no Pulumi program"):
        list(pulumi.program(tmp_path))


def test_the_project_s_file_of_a_stack_keeps_its_salt_and_loses_what_it_sets(cli, tmp_path):
    """What a person has set there is not what our own values are made of."""
    own = tmp_path / "project" / "infra" / "pulumi" / "Pulumi.dev.yaml"
    own.write_text("encryptionsalt: v1:abc\nconfig: {shop:set: [location=mars], other:key: 1}\n", encoding="utf-8")
    cli(preview()).plan()
    facts = yaml.safe_load((tmp_path / "state" / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    assert facts["encryptionsalt"] == "v1:abc"
    assert (facts["config"]["shop:set"], facts["config"]["other:key"]) == ([], 1)


@pytest.mark.parametrize(
    ("kept", "url"),
    [(None, None), (State("stshopstate", "state", "x"), "azblob://state?storage_account=stshopstate")],
)
def test_the_state_is_where_the_environment_says(cli, kept, url):
    made = replace(cli("out({'backend': os.environ.get('PULUMI_BACKEND_URL')})"), kept=kept)
    found = made.outputs()
    assert {name: one.value for name, one in found.items()} == ({"backend": url} if url else {})


def test_the_files_of_stacks_are_no_part_of_the_program(cli, tmp_path):
    project = cli("").project
    before = sorted(pulumi.program(project))
    (project / "infra" / "pulumi" / "Pulumi.test.yaml").write_text("config: {}", encoding="utf-8")
    assert sorted(pulumi.program(project)) == before
