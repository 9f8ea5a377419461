"""``mlops-kit schema``: what editors get holds the project's files right, and a wrong one wrong."""

import json
import shutil
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from mlops_kit import documents, schemas
from mlops_kit.checks import codes, kinds
from mlops_kit.cli import editors
from mlops_kit.schemas import editors as forms

PROJECT = Path(__file__).resolve().parents[2]
JOB = {"command": "echo", "environment": "azureml:e:1"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("environments", "templates"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _complaints(project, path):
    """Return what an editor would say of a file, by the settings that are in the project."""
    settings = json.loads((project / ".vscode/settings.json").read_text())["yaml.schemas"]
    shown = path.relative_to(project).as_posix()
    named = [name for name, patterns in settings.items() if any(fnmatch(shown, each) for each in patterns)]
    return [said for name in named for said in _said(name.removeprefix(f"./{editors.FOLDER}/"), path)]


def _said(schema, path):
    validator = _validator(schema)
    return [error.message for each in documents.load(path) for error in validator.iter_errors(documents.to_data(each))]


@cache
def _validator(schema):
    """Return a validator by one schema that refers to others, as they are in the folder of schemas."""
    files = editors.files()
    kept = [(name, DRAFT7.create_resource(body)) for name, body in files.items()]
    return Draft7Validator(files[schema], registry=Registry().with_resources(kept))


def test_an_editor_says_nothing_of_the_starter_project(called, project):
    code, out, _ = called("schema", "--editor", "vscode")
    assert (code, out.startswith(".vscode/settings.json names ")) == (0, True)
    named = [path for path in project.rglob("*.y*ml") if ".vscode" not in path.parts]
    assert len(named) > 10
    written = {
        path.relative_to(project / editors.FOLDER).as_posix() for path in (project / editors.FOLDER).rglob("*.json")
    }
    assert written == set(editors.files())
    assert {path.name: found for path in named if (found := _complaints(project, path))} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/jobs/a.yml", "comand: echo\nenvironment: azureml:e:1\n"),
        ("templates/jobs/a.yml", "type: sweep\ncommand: echo\n"),
        ("templates/components/a.yaml", "name: a\ncommand: echo\nenvironment: azureml:e:1\nshm_size: 2g\n"),
        ("templates/data/a.yml", "name: a\ntype: uri_fil\npath: a\n"),
        ("environments/dev.yaml", "descriptio: x\n"),
    ],
)
def test_an_editor_marks_a_wrong_file(called, project, name, text):
    called("schema", "--editor", "vscode")
    (project / name).write_text(text)
    assert _complaints(project, project / name) != []


@pytest.mark.parametrize(
    "change",
    [
        {"command": "${var.command}", "tags": "${env.tags}", "limits": {"timeout": "${var.seconds}"}},
        {"x-mlops": {"parameters": {"rate": 0.1}}, "x-shared": 1},
        {"tags": {"${env.name}": 1, "day": True}, "display_name": 2024},
        {"inputs": {"a": {"type": "${var.type}", "path": "a"}}},
        {"limits": {"timeout": "60"}, "type": "command"},
        {"resources": "${env.vars.resources}", "distribution": {"type": "PyTorch", "process_count_per_instance": "2"}},
        {"identity": {"type": "ManagedIdentity"}},
    ],
)
def test_a_template_may_be_written_as_the_checks_take_it(change):
    assert list(Draft7Validator(forms.schema("command_job")).iter_errors(JOB | change)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"comand": "echo"},
        {"tags": [1]},
        {"limits": {"timeout": "long"}},
        {"distribution": {"type": "torch"}},
        {"inputs": {"a": {"type": "uri_fil", "path": "a"}}},
    ],
)
def test_the_form_for_editors_still_finds_a_fault(change):
    assert list(Draft7Validator(forms.schema("command_job")).iter_errors(JOB | change)) != []


def test_a_job_that_leaves_its_environment_to_the_defaults_is_right_in_an_editor():
    assert list(Draft7Validator(forms.schema("command_job")).iter_errors({"command": "echo"})) == []


def test_every_folder_and_every_kind_of_it_has_its_schema():
    files = editors.files()
    assert {f"{family}.json" for family in kinds.FOLDERS.values()} <= set(files)
    references = {
        reference for body in files.values() for reference in _references(body) if not reference.startswith("#")
    }
    assert references <= set(files)
    assert {"kinds/monitor_schedule.json", "kinds/automl_text_ner.json", "kinds/amlcompute.json"} <= references
    for body in files.values():
        Draft7Validator.check_schema(body)


def _references(part):
    if isinstance(part, dict):
        yield from (part["$ref"] for _ in [0] if isinstance(part.get("$ref"), str))
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from _references(inner)


def test_other_settings_stay_and_a_second_call_changes_nothing(called, project):
    path = project / ".vscode/settings.json"
    path.parent.mkdir()
    mine = {"editor.rulers": [120], "yaml.schemas": {"mine.json": "x.yml"}, "yaml.customTags": ["!mine"]}
    path.write_text(json.dumps(mine))
    called("schema", "--editor", "vscode")
    first = path.read_text()
    merged = json.loads(first)
    assert merged["editor.rulers"] == [120]
    assert merged["yaml.schemas"]["mine.json"] == "x.yml"
    assert merged["yaml.customTags"][0] == "!mine"
    called("schema", "--editor", "vscode")
    assert path.read_text() == first


def test_settings_with_comments_are_left_alone_and_the_lines_to_add_are_told(called, project):
    path = project / ".vscode/settings.json"
    path.parent.mkdir()
    path.write_text("{\n  // mine\n}\n")
    code, out, err = called("schema", "--editor", "vscode")
    assert (code, out) == (2, "")
    assert err.startswith("error: .vscode/settings.json holds comments or is no JSON, and is left as it is; add: {")
    assert path.read_text() == "{\n  // mine\n}\n"
    assert not (project / ".mlops_kit").exists()


def test_the_form_for_editors_of_a_kind_is_printed(called):
    _, out, _ = called("schema", "command_job", "--editor", "vscode")
    assert json.loads(out) == forms.schema("command_job")


def test_a_kind_that_there_is_not_offers_the_one_meant(called):
    code, _, err = called("schema", "comand_job")
    assert (code, err) == (2, "error: no schema of kind 'comand_job', did you mean 'command_job'?\n")


def test_the_first_line_of_the_environment_files_names_their_schema():
    for path in (PROJECT / "environments").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        named = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert named.resolve() == schemas.FOLDER / "environment.json"


@pytest.mark.parametrize("code", codes.codes())
def test_an_editor_says_nothing_of_the_right_files_of_an_explanation(code, tmp_path):
    right = codes.explanation(code).partition("\n## Right\n")[2]
    for block in right.split("\n```yaml ")[1:]:
        name, _, body = block.partition("\n")
        path = tmp_path / Path(name).name
        path.write_text(body.partition("\n```")[0] + "\n")
        folder = Path(name).parent.name
        if name in {"environments/base.yaml", "environments/dev.yaml"}:
            assert _said("environment.json", path) == []
        elif folder in kinds.FOLDERS:
            assert _said(f"{kinds.FOLDERS[folder]}.json", path) == []
