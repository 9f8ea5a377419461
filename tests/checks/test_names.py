"""Names that the service refuses, of every kind (field reports R15 and R40)."""

import re

import pytest

from mlops_kit import schemas
from mlops_kit.checks.names import RULES

JOB = "command: echo\nenvironment: azureml:sklearn@latest\n"
ENDPOINT = "$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json\n"
DEPLOYMENT = "endpoint_name: churn\ninstance_type: Standard_DS3_v2\nmodel: azureml:churn:1\n"
PIPELINE = "type: pipeline\njobs:\n  fit:\n    command: echo\n    environment: azureml:sklearn@latest\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("experiment_name: feature/abc def", "`experiment_name` is `feature/abc def`; allowed are letters, digits"),
        ("name: run:3PM", "`name` is `run:3PM`; allowed are letters, digits, `_` and `-`"),
        ("name: -run", "`name` is `-run`; allowed are"),
        (f"experiment_name: {'x' * 257}", "257 characters, allowed are 1 to 256"),
    ],
)
def test_r15_a_name_that_the_service_refuses_is_found(folder, line, expected):
    (found,) = folder.found(JOB + line + "\n")
    assert found.startswith("3:")
    assert "error[MK0201]" in found
    assert expected in found


def test_a_name_that_can_be_mended_is_offered(folder):
    (found,) = folder.found(JOB + "experiment_name: feature/abc def\n")
    assert found.endswith("write `feature-abc-def`")


def test_names_with_digits_and_signs_pass(folder):
    assert folder.found(JOB + "name: run_3-b\nexperiment_name: Feature-ABC_1\n") == []


def test_r15_a_name_whose_case_the_sdk_changes_is_found(folder):
    assert folder.found(JOB + "name: Run_3-b\n") == [
        "3:7: error[MK0202]: `name` is `Run_3-b`, of which the SDK makes `run_3-b`; write `run_3-b`"
    ]
    assert folder.found(PIPELINE + "name: Run_3-b\n") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (JOB + "name: {}\n", "Fit"),
        (PIPELINE + "name: {}\n", "Fit"),
        (ENDPOINT + "name: {}\nauth_mode: key\n", "Churn"),
        ("name: {}\n" + DEPLOYMENT, "Blue"),
    ],
)
def test_r15_the_sdk_changes_the_case_of_the_names_that_are_reported_and_of_no_others(folder, text, named):
    from azure.ai.ml import load_job, load_online_deployment, load_online_endpoint

    path = folder.put("jobs/one.yml", text.format(named))
    load = load_job if "command" in text else load_online_endpoint if "auth_mode" in text else load_online_deployment
    changed = load(path).name != named
    assert any("MK0202" in found for found in folder.found(text.format(named), "jobs/one.yml")) is changed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type: amlcompute\nname: cpu-cluster-1\n", "`cpu-cluster-1`; allowed are letters, digits and `-`"),
        ("type: amlcompute\nname: cp\n", "`cp`: 2 characters, allowed are 3 to 24"),
        ("type: kubernetes\nnamespace: default\nname: a-very-long-cluster\n", "19 characters, allowed are 2 to 16"),
        (ENDPOINT + "name: my_endpoint\n", "`my_endpoint`; allowed are letters, digits and `-`"),
        (ENDPOINT + f"name: {'x' * 33}\n", "33 characters, allowed are 3 to 32"),
        ("name: b\n" + DEPLOYMENT, "`b`: 1 character, allowed are 3 to 32"),
        ("name: blue_1\n" + DEPLOYMENT, "`blue_1`; allowed are letters, digits and `-`"),
        ("name: blue\n" + DEPLOYMENT.replace("churn", "my_churn", 1), "`endpoint_name` is `my_churn`; allowed are"),
        (
            "type: azure_blob\nname: my-store\naccount_name: a\ncontainer_name: b\n",
            "are letters, digits and `_`",
        ),
        ("type: custom_model\nname: my model\npath: azureml://jobs/a\n", "`my model`; allowed are letters"),
        (
            "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\nname: a b\nimage: a:1\n",
            "`a b`; allowed are letters",
        ),
        ("$schema: https://azuremlschemas.azureedge.net/latest/workspace.schema.json\nname: ws\n", "are 3 to 33"),
        (
            "type: command\nname: Fit_It\ncommand: echo\nenvironment: azureml:a@latest\nis_deterministic: true\n",
            "`Fit_It`; allowed are lower-case letters, digits and `_`, a letter first; write `fit_it`",
        ),
        (
            "name: a b\ntrigger: {type: cron, expression: 0 0 * * *}\ncreate_job: azureml:a:1\n",
            "allowed are letters, digits, `_` and `-`",
        ),
    ],
)
def test_r40_each_kind_has_its_rule_and_one_fault_is_one_finding(folder, text, said):
    (found,) = [line for line in folder.found(text, "other/one.yml") if "does not exist" not in line]
    assert re.match(r"\d+:\d+: error\[MK0201\]: ", found)
    assert said in found


def test_every_kind_but_code_has_a_rule_for_its_name():
    from mlops_kit.checks.names import rule_of

    without = {kind for kind in schemas.kinds() if not rule_of(kind)}
    assert without == {"code", "data_import", "environment"}
    assert {rule_of(kind) for kind in schemas.kinds()} - {""} <= set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_arule_offers_it_accepts(rule):
    for text in ["feature/ABC-12 fix", "run:3PM", "-x-", "ä", "", "a b", "cpu-1", "my model.v2"]:
        meant = rule.mended(text)
        assert not meant or rule.accepts(meant)


def test_a_version_that_is_the_label_is_found(folder):
    text = "type: custom_model\nname: churn\npath: azureml://jobs/a\nversion: latest\n"
    (found,) = folder.found(text, "models/one.yml")
    assert found.startswith("4:10: error[MK0203]: `version` is `latest`, which is the label of the version")


@pytest.mark.parametrize("version", ["1/2", "-1", "1 2"])
def test_a_version_that_the_service_refuses_is_found(folder, version):
    text = f"type: custom_model\nname: churn\npath: azureml://jobs/a\nversion: {version}\n"
    (found,) = folder.found(text, "models/one.yml")
    assert found.startswith(f"4:10: error[MK0203]: `version` is `{version}`")


@pytest.mark.parametrize("version", ["1", '"0.10"', "2024-01-31", '"01"'])
def test_a_version_of_the_usual_forms_passes(folder, version):
    text = f"type: custom_model\nname: churn\npath: azureml://jobs/a\nversion: {version}\n"
    assert folder.found(text, "models/one.yml") == []


def test_the_name_of_an_environment_variable_is_one_word(folder):
    (found,) = folder.found(JOB + "environment_variables:\n  MY VAR: a\n  GOOD_1: b\n")
    assert found.startswith("4:3: error[MK0204]: environment variable `MY VAR`; allowed are letters, digits and `_`")


def test_the_environment_variables_of_a_step_are_looked_at(folder):
    (found,) = folder.found(PIPELINE + "    environment_variables: {1ST: a}\n")
    assert found.startswith("6:29: error[MK0204]: environment variable `1ST`")


def test_tags_of_a_resource_of_azure_keep_to_its_rules(folder):
    many = "".join(f"  t{number}: a\n" for number in range(49))
    text = f"{ENDPOINT}name: churn\ntags:\n  a/b: c\n  long: {'x' * 257}\n{many}"
    assert folder.found(text) == [
        "4:3: error[MK0205]: tag `a/b`; allowed are all characters but `<`, `>`, `%`, `&`, `\\`, `?` and `/`",
        "5:9: error[MK0205]: the value of the tag `long` has 257 characters, allowed are 256",
        "54:3: error[MK0205]: there are 51 tags, a resource of Azure has 50 at most",
    ]


def test_fifty_tags_of_256_characters_are_the_most(folder):
    tags = "".join(f"  t{number}: {'x' * 256}\n" for number in range(50))
    assert folder.found(f"{ENDPOINT}name: churn\ntags:\n{tags}") == []


def test_tags_of_a_job_are_free(folder):
    assert folder.found(JOB + f"tags: {{a/b: c, long: {'x' * 300}}}\n") == []


def test_a_version_without_a_value_is_one_fault(folder):
    text = "type: custom_model\nname: churn\npath: azureml://jobs/a\nversion:\n"
    assert [line for line in folder.found(text, "models/one.yml") if "MK0203" in line] == []
