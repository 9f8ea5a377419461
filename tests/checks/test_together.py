"""Documents of one file beside each other (field reports R15 and R38, lesson 7)."""

import pytest
from click.testing import CliRunner

from mlops_kit import checks, documents
from mlops_kit.cli import cli

ENDPOINT = "$schema: a/managedOnlineEndpoint.schema.json\nname: churn\nauth_mode: key\ntraffic: {{{}}}\n"
DEPLOYMENT = "name: {}\nendpoint_name: {}\nmodel: azureml:churn:1\ninstance_type: Standard_DS3_v2\n"
DATA = "type: uri_file\nname: rows\nversion: {}\npath: azureml://datastores/a/paths/b\n"
JOB = "type: command\nname: {}\ncommand: echo\nenvironment: azureml:a@latest\n"


def _beside(folder, *texts):
    path = folder.put("one.yml", "---\n".join(texts))
    loaded = documents.load(path)
    return [str(finding).removeprefix(f"{path}:") for finding in checks.beside(loaded)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (JOB.format("fit"), JOB.format("fit")),
        (DATA.format(1), DATA.format(1)),
        (DEPLOYMENT.format("blue", "churn"), DEPLOYMENT.format("blue", "churn")),
    ],
)
def test_r15_r38_two_documents_of_a_file_that_become_one_thing_are_found(folder, first, second):
    (found,) = _beside(folder, first, second)
    assert "error[MK0206]: two documents of this file are named `" in found
    assert "; the other is in line " in found


@pytest.mark.parametrize(
    "texts",
    [
        (JOB.format("fit"), JOB.format("score")),
        (DATA.format(1), DATA.format(2)),
        (DATA.format(1).replace("version: 1\n", ""), DATA.format(1).replace("version: 1\n", "")),
        (DATA.format(1), DATA.format(1).replace("uri_file", "custom_model")),
        (DEPLOYMENT.format("blue", "churn"), DEPLOYMENT.format("blue", "fraud")),
        (JOB.format("fit").replace("name: fit\n", ""), JOB.format("fit").replace("name: fit\n", "")),
        (JOB.format("fit"),),
        ("name: x\nsteps: []\n", "name: x\nsteps: []\n"),
        ("- a\n", "- a\n"),
    ],
)
def test_documents_that_become_different_things_pass(folder, texts):
    assert _beside(folder, *texts) == []


def test_r15_a_name_that_a_loop_repeats_is_found_where_it_stands(folder, monkeypatch):
    folder.put("environments/base.yaml", "{}\n")
    folder.put("environments/dev.yaml", "{}\n")
    text = "name: fit\nx-mlops: {for_each: [{var: a}, {var: b}]}\n" + JOB.partition("name: {}\n")[2]
    folder.put("templates/jobs/fit.yml", text.replace("{var: ", "{region: "))
    monkeypatch.chdir(folder.root)
    result = CliRunner().invoke(cli, ["validate", "-e", "dev", "templates/jobs/fit.yml"])
    assert result.stdout.splitlines() == [
        (
            "templates/jobs/fit.yml:1:7: error[MK0206]: two documents of this file are named `fit`;"
            " `for_each` repeats it; give each a name of its own"
        )
    ]


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ("blue: 90, gren: 10", ["`gren` gets traffic and is no deployment of this file; did you mean `green`"]),
        ("blue: 90, old: 10", []),
        ("blue: 90, green: 10", []),
        ("blue: 100, gren: 0", []),
    ],
)
def test_a_share_for_a_misspelt_deployment_of_the_same_file_is_found(folder, shares, found):
    texts = (ENDPOINT.format(shares), DEPLOYMENT.format("blue", "churn"), DEPLOYMENT.format("green", "churn"))
    assert [line.partition("warning[MK1011]: ")[2] for line in _beside(folder, *texts)] == found


def test_a_share_of_a_mirror_counts_and_deployments_of_other_endpoints_do_not(folder):
    mirrored = ENDPOINT.format("blue: 100") + "mirror_traffic: {gren: 10}\n"
    (found,) = _beside(folder, mirrored, DEPLOYMENT.format("green", "churn"), DEPLOYMENT.format("blue", "churn"))
    assert "`gren` gets traffic" in found
    assert _beside(folder, mirrored, DEPLOYMENT.format("green", "fraud"), DEPLOYMENT.format("blue", "churn")) == []
