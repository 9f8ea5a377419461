"""Payloads change nothing: values are never evaluated, and no file outside of the project is opened."""

import json
import os
import re
import sys
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlops_kit import checks, documents, environments, project, render
from mlops_kit.cli import cli, faults
from mlops_kit.errors import MlopsKitError
from tests.fuzzing.payloads import CLIMBS, EXPRESSIONS, TEXTS

opened: list[str] = []
watching: list[bool] = []


@sys.addaudithook
def _watch(event, arguments):
    if watching and event in {"open", "os.listdir", "os.scandir"}:
        opened.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a project with an environment ``dev``, in the current folder."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text("{}\n")
    (tmp_path / "environments" / "dev.yaml").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _rendered(folder: Path, text: str, settings=None):
    """Return what the template of a text becomes, as data."""
    found = project.find(folder)
    environment = environments.load(found.environments, "dev", git=found.git)
    loaded = documents.parse(text, folder / "templates" / "x.yml")
    return [documents.to_data(each.root) for each in render.render_documents(loaded, environment, settings or {})]


def test_there_are_enough_payloads():
    assert len(set(EXPRESSIONS)) + len(set(TEXTS)) >= 150
    assert len(set(CLIMBS)) >= 200


@pytest.mark.parametrize("payload", EXPRESSIONS)
def test_an_expression_cannot_reach_the_interpreter(payload, here):
    template = documents.dump([{"command": "echo", "description": payload}])
    try:
        said = str(_rendered(here, template)[0]["description"])
    except MlopsKitError as fault:
        said = str(fault)
    assert "\n" not in said
    assert len(said) < 10_000
    assert not re.search(r"<(class|function|module|bound|built-in|Root|jinja)", said)  # no object of the interpreter
    assert not (here / "CANARY").exists()


@pytest.mark.parametrize("payload", TEXTS)
def test_text_in_a_template_stays_what_it_is(payload, here):
    template = documents.dump([{"command": "echo", "description": payload}])
    (data,) = _rendered(here, template)
    assert data["description"] == payload.replace("$${", "${")


@pytest.mark.parametrize("payload", [*TEXTS, *EXPRESSIONS])
def test_a_value_is_never_evaluated(payload, here):
    template = "x-mlops: {parameters: {note: {type: string}}}\ncommand: echo\ndescription: say ${var.note}\n"
    (data,) = _rendered(here, template, render.parse_settings([f"note={documents.dump([payload])}"]))
    assert data["description"] == f"say {payload}"
    assert not (here / "CANARY").exists()


@pytest.fixture
def beside(here):
    """Put a project and a folder beside it, with a file of every kind; return the project and the folder."""
    outside, jobs = here / "outside", here / "project" / "jobs"
    (outside / "code").mkdir(parents=True)
    contents = {
        "data.csv": "a,b\n1,2\n",
        "component.yml": "name: c\ntype: command\ncommand: echo\nenvironment: azureml:x:1\n",
        "conda.yml": "dependencies: [sklearn]\n",
        "env.yml": "image: python\nconda_file: conda.yml\n",
        "score.py": "import azureml.core\n",
        "requirements.txt": "sklearn\n",
        "MLTable": "paths: [{file: ./nothing.csv}]\n",
        "Dockerfile": "RUN true\n",
        "code/run.py": "import azureml.core\n",
    }
    for name, text in contents.items():
        (outside / name).write_text(text)
    jobs.mkdir(parents=True)
    (jobs / "link").symlink_to(outside)
    (jobs / "deep").mkdir()
    (jobs / "deep" / "up").symlink_to("../../../outside")
    (here / "environments").rename(here / "project" / "environments")
    return here / "project", outside


# Each key that names something local, with the document around it.
_DOCUMENTS = {
    "code": "command: python run.py\nenvironment: azureml:x:1\ncode: {}\n",
    "input": "command: cat ${{{{inputs.x}}}}\nenvironment: azureml:x:1\ninputs: {{x: {{type: uri_file, path: {}}}}}\n",
    "table": "command: cat ${{{{inputs.x}}}}\nenvironment: azureml:x:1\ninputs: {{x: {{type: mltable, path: {}}}}}\n",
    "conda": "command: echo\nenvironment: {{image: python:3.12, conda_file: {}}}\n",
    "build": "command: echo\nenvironment: {{build: {{path: {}}}}}\n",
    "environment": "command: echo\nenvironment: {}\n",
    "component": "type: pipeline\njobs: {{one: {{component: {}}}}}\n",
    "trial": "type: sweep\ntrial: {}\nsampling_algorithm: random\n",
    "schedule": "name: s\ntrigger: {{type: cron, expression: 0 0 * * *}}\ncreate_job: {}\n",
    "scoring": "name: d\nendpoint_name: e\nmodel: azureml:m:1\ncode_configuration: {{code: ., scoring_script: {}}}\n",
}


@pytest.mark.parametrize("kind", _DOCUMENTS)
def test_no_path_of_a_document_is_followed_out_of_the_project(kind, beside):
    folder, outside = beside
    found = project.find(folder)
    environment = environments.load(found.environments, "dev", git=found.git)
    for climb in CLIMBS:
        path = climb.replace("{absolute}", str(outside))
        text = _DOCUMENTS[kind].format(json.dumps(path))
        loaded = documents.parse(text, folder / "jobs" / "job.yml")
        opened.clear()
        watching.append(True)
        findings = list(faults.find(loaded, environment, {}, checks.Files(folder)))
        watching.clear()
        strays = [name for name in opened if os.path.realpath(name).startswith(str(outside))]
        assert not strays, (path, strays)
        assert any(each.severity == "error" for each in findings), path


def test_validate_says_which_path_leads_out(beside):
    folder, _ = beside
    (folder / "jobs" / "job.yml").write_text(
        textwrap.dedent("""\
            command: python run.py
            environment: azureml:x:1
            code: ../../outside/code
        """)
    )
    ran = CliRunner().invoke(cli, ["validate", "-C", str(folder), "-e", "dev", str(folder / "jobs" / "job.yml")])
    assert ran.exit_code == 2
    assert ":3:7: error[MK0402]: `../../outside/code` leads out of the project" in ran.stdout
