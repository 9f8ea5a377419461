"""Which kind of file a document is, where neither a header nor a type says it."""

import pytest

from mlops_kit import documents
from mlops_kit.checks import is_azure_ml
from mlops_kit.checks.kinds import FOREIGN_KEYS, family_of

DEPLOYMENT = {"name": "blue", "endpoint_name": "churn"}


@pytest.mark.parametrize(
    ("keys", "family"),
    [
        ({**DEPLOYMENT, "instance_type": "a"}, "online_deployment"),
        ({**DEPLOYMENT, "type": "kubernetes"}, "online_deployment"),
        ({**DEPLOYMENT, "type": "pipeline", "component": "azureml:a:1"}, "batch_deployment"),
        ({**DEPLOYMENT, "type": "model"}, "batch_deployment"),
        ({**DEPLOYMENT, "compute": "azureml:cpu"}, "batch_deployment"),
        ({**DEPLOYMENT, "settings": None}, "batch_deployment"),
        ({"name": "aks", "type": "kubernetes", "namespace": "default"}, "compute"),
        ({"task": "classification", "training_data": None}, "job"),
        ({"name": "a", "jobs": None}, "job"),
        ({"type": "pipeline", "jobs": ""}, "job"),
    ],
)
def test_a_family_is_told_by_keys_and_types(keys, family):
    assert family_of(keys) == family


@pytest.mark.parametrize(
    "text",
    [
        "on: push\njobs: {build: {runs-on: ubuntu-latest}}\n",
        "name: $(Date:yyyyMMdd)\njobs:\n  - job: build\n",
        "trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps: [{script: echo}]\n",
        "python: 3.11.4\nbuild_dependencies: [pip]\ndependencies: {}\n",
        "inputs: {}\nnodes: []\n",
        "apiVersion: v1\nkind: Pod\n",
        "repos: [{repo: local}]\n",
        "$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Run.schema.json\nflow: ./chat\n",
    ],
)
@pytest.mark.parametrize("name", ["one.yml", "jobs/one.yml", "models/churn/one.yml"])
def test_a_file_of_others_is_none_of_azure_ml(folder, text, name):
    path = folder.put(name, text)
    (document,) = documents.load(path)
    assert not is_azure_ml(document.root, path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("task: forecasting\nmax_trials: 25\ntrack_child_runs: false\n", False),
        ("name: wards\nmanaged_network: {isolation_mode: disabled}\n", False),
        ("comand: python train.py\ntags: {owner: ward-7}\n", True),
    ],
    ids=["settings of a script", "a workspace", "a job with a misspelt command"],
)
def test_a_folder_of_jobs_may_hold_other_settings(folder, text, told):
    path = folder.put("jobs/settings.yml", text)
    (document,) = documents.load(path)
    assert is_azure_ml(document.root, path) == told


def test_no_kind_has_a_key_by_which_files_of_others_are_told():
    from mlops_kit import schemas

    known = {key for kind in schemas.kinds() for key in schemas.read(kind)["properties"]}
    assert not FOREIGN_KEYS & known
