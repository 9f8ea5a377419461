"""The runner of terraform: folders, command lines, and a terraform that fails, chatters or echoes."""

import io
import json
import os
import stat
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_kit.errors import UsageError
from mlops_kit.infra import terraform_folder
from mlops_kit.infra.changes import Changes
from mlops_kit.infra.engine import EndedEarly
from mlops_kit.infra.saved_plan import Planned, StalePlanError
from mlops_kit.infra.state import State
from mlops_kit.infra.terraform import Terraform, command_line
from mlops_kit.infra.terraform_folder import Folder
from mlops_kit.infra.tools import ToolFailed

SECRET = "very secret: 'value'"
VALUES = {"resource_group": {"subscription_id": "1", "name": "rg", "tags": {"a b": '$HOME "x" ${y}'}}}


def _archive(name: str, text: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(name, text)
    return whole.getvalue()


@pytest.fixture
def folder(tmp_path) -> Folder:
    project = tmp_path / "project"
    (project / "infra" / "terraform").mkdir(parents=True)
    (project / "modules" / "terraform" / "storage").mkdir(parents=True)
    (project / "infra" / "terraform" / "main.tf").write_text("", encoding="utf-8")
    return Folder(project, tmp_path / "state", "dev")


@pytest.fixture
def terraform(folder, tmp_path) -> Callable[[str], Terraform]:
    """Return terraform as a Python text would be it; ``say(...)`` prints an event."""

    def make(text: str) -> Terraform:
        binary = tmp_path / "bin" / "terraform"
        binary.parent.mkdir(exist_ok=True)
        head = "import json, os, sys\nsay = lambda **facts: print(json.dumps(facts))\ncommand = sys.argv[1]\n"
        binary.write_text(f"#!{sys.executable}\n{head}{text}\n", encoding="utf-8")
        binary.chmod(0o755)
        environ = {"PATH": f"{binary.parent}:{os.environ['PATH']}", "ARM_CLIENT_SECRET": SECRET, "TF_LOG": "trace"}
        return Terraform(folder, VALUES, environ, local=True)

    return make


PLANNED = Planned(Changes("dev", "terraform"), b"the plan")


def test_command_lines_have_flags_values_and_lists_but_never_values_of_the_environment(tmp_path):
    found = command_line(tmp_path, "plan", "-destroy", json=True, var_file="/x y/values.json", out=None)
    assert found == ["plan", "-no-color", "-input=false", "-json", "-var-file=/x y/values.json", "-destroy"]


def test_r48_values_arrive_byte_equal_in_a_private_file_and_in_no_argument(terraform, folder):
    made = terraform(
        "if command == 'plan':\n"
        "    path = next(a for a in sys.argv if a.startswith('-var-file=')).partition('=')[2]\n"
        "    open(os.environ['TF_DATA_DIR'] + '.seen', 'w').write(open(path).read() + '\\n' + ' '.join(sys.argv))\n"
        "    sys.exit(1)"
    )
    with pytest.raises(ToolFailed):
        made.plan()
    values, arguments = folder.data.with_suffix(".seen").read_text(encoding="utf-8").rsplit("\n", 1)
    assert json.loads(values) == VALUES
    assert "HOME" not in arguments
    assert stat.S_IMODE(folder.values.stat().st_mode) == 0o600


def test_the_program_is_copied_and_the_project_stays_as_it_was(terraform, folder):
    before = {path: path.read_bytes() for path in folder.project.rglob("*") if path.is_file()}
    with pytest.raises(ToolFailed):
        terraform("sys.exit(command == 'plan')").plan()
    assert {path: path.read_bytes() for path in folder.project.rglob("*") if path.is_file()} == before
    assert "terraform.tfstate" in (folder.root / "backend_override.tf").read_text(encoding="utf-8")
    assert (folder.root / ".." / ".." / "modules" / "terraform" / "storage").is_dir()


def test_init_runs_when_the_program_is_new_and_not_again(terraform, folder):
    ran = folder.state / "ran"
    text = "os.makedirs(os.environ['TF_DATA_DIR'], exist_ok=True)\nprint('{}')\n"
    made = terraform(f"{text}open({str(ran)!r}, 'a').write(command + ' ')")
    made.outputs()
    made.outputs()
    assert ran.read_text(encoding="utf-8") == "init output output "
    (folder.project / "infra" / "terraform" / "more.tf").write_text("# more", encoding="utf-8")
    made.outputs()
    assert ran.read_text(encoding="utf-8") == "init output output init output "
    assert (folder.root / "more.tf").is_file()


def test_an_init_that_failed_is_run_again(terraform, folder):
    text = "os.makedirs(os.environ['TF_DATA_DIR'], exist_ok=True)\nprint('{}')\n"
    with pytest.raises(ToolFailed, match="terraform init ended with status 1"):
        terraform(f"{text}sys.exit(command == 'init')").outputs()
    ran = folder.state / "ran"
    terraform(f"{text}open({str(ran)!r}, 'a').write(command + ' ')").outputs()
    assert ran.read_text(encoding="utf-8") == "init output "


def test_what_the_project_no_longer_has_leaves_the_copy(terraform, folder):
    more = folder.project / "infra" / "terraform" / "more.tf"
    more.write_text("# more", encoding="utf-8")
    terraform_folder.lay_out(folder, VALUES, local=True, imports="import {}")
    more.unlink()
    terraform_folder.lay_out(folder, VALUES, local=True)
    assert sorted(path.name for path in folder.root.iterdir()) == ["backend_override.tf", "main.tf"]


@pytest.mark.parametrize("name", ["override.tf", "own_override.tf", "override.tf.json"])
def test_override_files_of_a_person_stay_out_of_the_copy(folder, name):
    (folder.project / "infra" / "terraform" / name).write_text("{}", encoding="utf-8")
    terraform_folder.lay_out(folder, VALUES, local=True)
    assert sorted(path.name for path in folder.root.iterdir()) == ["backend_override.tf", "main.tf"]


def test_a_state_in_azure_is_reached_by_a_private_file_and_not_moved_by_itself(terraform, folder):
    ran = folder.state / "ran"
    made = terraform(f"print('{{}}')\nopen({str(ran)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')")
    made = replace(made, local=False, kept=State("stshopstate", "state", "shop/dev.tfstate"))
    made.outputs()
    assert ran.read_text(encoding="utf-8").splitlines()[0] == (
        f"init -no-color -input=false -backend-config={folder.backend}"
    )
    assert 'key                  = "shop/dev.tfstate"\n' in folder.backend.read_text(encoding="utf-8")
    assert stat.S_IMODE(folder.backend.stat().st_mode) == 0o600
    assert [path.name for path in folder.root.iterdir()] == ["main.tf"]


def test_another_place_of_the_state_is_another_program(terraform, folder):
    places = (None, State("one", "state", "dev"), State("other", "state", "dev"), State("other", "state", "dev"))
    found = [terraform_folder.lay_out(folder, VALUES, local=False, kept=place) for place in places]
    assert len({*found}) == 3
    assert found[2] == found[3]


def test_a_project_without_a_program_is_told(tmp_path):
    with pytest.raises(UsageError, match="the project has no Terraform program"):
        list(terraform_folder.program(tmp_path))


def test_a_failure_keeps_the_status_and_tells_the_diagnostics_without_secrets(terraform):
    made = terraform(
        "say(type='diagnostic', diagnostic={'severity': 'warning', 'summary': 'old'})\n"
        "say(type='diagnostic', diagnostic={'severity': 'error', 'summary': 'Bad', 'detail': 'is ' + os.environ"
        "['ARM_CLIENT_SECRET'], 'range': {'filename': 'main.tf', 'start': {'line': 3}}})\nsys.exit(1)"
    )
    with pytest.raises(ToolFailed) as error:
        made.plan()
    assert str(error.value) == "terraform init ended with status 1: main.tf:3: Bad: is [secret]"
    assert error.value.exit_code == 1


def test_the_logs_of_terraform_stay_off_since_they_hold_values(terraform, folder):
    terraform("print(json.dumps({'x': {'value': os.environ.get('TF_LOG')}}))").outputs()
    assert terraform("print(json.dumps({'x': {'value': os.environ.get('TF_LOG')}}))").outputs()["x"].value is None


@pytest.mark.parametrize("said", ["{}", "\x1b[33mWarning: [x]\x1b[0m\n{}", "null"])
def test_no_outputs_are_no_fault(terraform, said):
    assert terraform(f"print({said!r})").outputs() == {}


@pytest.mark.parametrize("secret", ["address", "change", "rg-of-ours"])
def test_a_secret_that_is_a_key_or_a_name_in_what_terraform_answers_changes_nothing(terraform, secret):
    place = "/subscriptions/1/resourceGroups/rg-of-ours"
    before = {"type": "Microsoft.Resources/resourceGroups@1", "name": "rg-of-ours", "id": place}
    one = {"address": "module.x.this", "mode": "managed", "type": "azapi_resource", "name": "this"}
    plan = {"resource_changes": [{**one, "change": {"actions": ["delete"], "before": before, "after": None}}]}
    state = {"values": {"root_module": {"resources": [{"mode": "managed", "values": {"id": place}}]}}}
    outputs = {"id": {"value": place}}
    made = terraform(
        f"answers = {{'output': {outputs!r}, 'show': {plan!r} if '.tfplan' in sys.argv[-1] else {state!r}}}\n"
        "say(**answers.get(command, {}))"
    )
    made = replace(made, environ={**made.environ, "DB_PASSWORD": secret})
    (item,) = made.plan().changes.items
    assert (item.address, item.name, item.id, item.action) == ("module.x.this", "rg-of-ours", place, "delete")
    assert made.outputs()["id"].value == place
    assert made.owned() == (place,)


def test_what_is_told_of_a_run_has_no_secrets_even_when_they_are_keys_of_its_events(terraform):
    hook = {"action": "create", "resource": {"addr": "module.address"}}
    made = terraform(f"say(type='apply_complete', hook={hook})")
    heard: list[str] = []
    for secret in ("resource", "address"):
        replace(made, environ={**made.environ, "DB_PASSWORD": secret}).apply(PLANNED, heard.append)
    assert [line for line in heard if "create" in line] == [
        "create module.address (0 s)",
        "create module.[secret] (0 s)",
    ]


def test_the_plan_of_a_run_that_was_killed_does_not_stay(terraform, folder):
    folder.state.mkdir(exist_ok=True)
    left = folder.state / "tmpabc.tfplan"
    left.write_text("values in clear", encoding="utf-8")
    terraform("print('{}')").outputs()
    assert not left.exists()


@pytest.mark.parametrize("content", [b"no archive", _archive("tfplan", "x"), _archive("tfstate", "{")])
def test_a_plan_that_does_not_say_from_which_state_it_was_made_is_refused_in_a_sentence(content, terraform):
    made = terraform("print(json.dumps({'lineage': 'a', 'serial': 1}))")
    with pytest.raises(UsageError, match="the plan does not say from which state it was made"):
        made.require_fresh(replace(PLANNED, content=content))


def test_outputs_may_be_null_and_secret(terraform):
    text = json.dumps({"a": {"value": None, "sensitive": False}, "b": {"value": [1], "sensitive": True}, "c": {}})
    found = terraform(f"print({text!r})").outputs()
    assert [(name, one.value, one.secret) for name, one in found.items()] == [
        ("a", None, False),
        ("b", [1], True),
        ("c", None, False),
    ]
    assert found["b"].shown == "[secret]"
    assert "1" not in repr(found["b"])


def test_a_run_that_fails_midway_tells_what_was_done_and_how_to_go_on(terraform):
    hook = {"action": "create", "resource": {"addr": "module.x.this"}, "elapsed_seconds": 2}
    made = terraform(
        f"say(type='apply_complete', hook={hook})\n"
        "say(type='diagnostic', diagnostic={'severity': 'error', 'summary': 'Refused', 'address': 'module.y.this',"
        " 'detail': 'two\\nlines'})\nsys.exit(command == 'apply')"
    )
    heard: list[str] = []
    with pytest.raises(EndedEarly) as error:
        made.apply(PLANNED, heard.append)
    assert heard == ["create module.x.this (2 s)"]
    assert str(error.value).splitlines() == [
        "module.y.this: Refused: two lines",
        "1 change was made; 'mlops-kit infra up -e dev' goes on",
    ]
    assert error.value.exit_code == 1


def test_a_plan_from_another_state_is_stale_in_one_sentence(terraform):
    made = terraform(
        "say(type='diagnostic', diagnostic={'severity': 'error', 'summary': 'Saved plan is stale', 'detail': 'x'})\n"
        "sys.exit(command == 'apply')"
    )
    with pytest.raises(
        StalePlanError, match="the state of the infrastructure has changed since it was made; plan again"
    ):
        made.apply(PLANNED, lambda _: None)


def test_the_plan_is_given_as_a_private_file_that_does_not_stay(terraform, folder):
    seen = folder.state / "seen"
    made = terraform(
        f"if command == 'apply':\n    path = sys.argv[-1]; mode = oct(os.stat(path).st_mode)[-3:]\n"
        f"    open({str(seen)!r}, 'w').write(open(path).read() + ' ' + mode)"
    )
    made.apply(PLANNED, lambda _: None)
    assert seen.read_text(encoding="utf-8") == "the plan 600"
    assert [path.name for path in folder.state.glob("*.tfplan")] == []


def test_ids_of_the_state_are_those_of_managed_resources(terraform):
    inner = {"resources": [{"mode": "managed", "values": {"id": "/b"}}]}
    root = {
        "resources": [{"mode": "managed", "values": {"id": "/a"}}, {"mode": "data", "values": {"id": "/c"}}],
        "child_modules": [inner],
    }
    text = json.dumps({"values": {"root_module": root}})
    assert terraform(f"print({text!r})").owned() == ("/a", "/b")
    assert terraform("print('{}')").owned() == ()


def test_python_terraform_still_fails_where_we_do_without_it(tmp_path):
    """If one of these works again, the reason in the docstring of the runner is gone."""
    from python_terraform import Terraform as Library

    library: Any = Library(working_dir=str(Path(tmp_path)))
    seen: list[dict[str, Any]] = []

    def heard(*_: str, **options: Any) -> tuple[int, str, str]:
        seen.append(options)
        return 0, "", ""

    library.cmd = heard
    library.destroy()
    assert "force" in seen[0]
    library.output_cmd = lambda *_, **__: (0, '"text"', "")
    with pytest.raises(TypeError):
        library.output("name")
