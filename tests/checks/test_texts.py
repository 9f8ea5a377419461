"""A number is text where the SDK takes nothing but text, and stays a number everywhere else."""

import io

import pytest

from mlops_kit import checks, documents

JOB = """\
type: command
command: echo
environment: azureml:sklearn@latest
display_name: 2024
description: 1.50
tags: {version: 0.10, checked: true, day: 2024-01-01, none: ~}
properties: {n: 5}
inputs:
  rate: 0.10
  flag: true
limits: {timeout: 60}
resources: {instance_count: 2}
"""


def _written(folder, text, name="jobs/job.yml"):
    [document] = documents.load(folder.put(name, text))
    return documents.to_data(checks.as_written(document))


def test_numbers_and_truth_values_are_text_where_only_text_may_stand(folder):
    found = _written(folder, JOB)
    assert (found["display_name"], found["description"]) == ("2024", "1.50")
    assert found["tags"] == {"version": "0.10", "checked": "true", "day": "2024-01-01", "none": None}
    assert found["properties"] == {"n": "5"}
    assert found["inputs"] == {"rate": 0.1, "flag": True}
    assert (found["limits"], found["resources"]) == ({"timeout": 60}, {"instance_count": 2})


def test_what_is_written_loads_in_the_sdk(folder):
    from azure.ai.ml import load_job

    path = folder.put("jobs/job.yml", JOB.replace(", none: ~", ""))
    [document] = documents.load(path)
    job = load_job(io.StringIO(documents.dump([checks.as_written(document)])), relative_origin=str(path))
    assert job.tags == {"version": "0.10", "checked": "true", "day": "2024-01-01"}
    assert job.inputs["rate"]._data == 0.1


def test_a_pipeline_has_text_and_its_steps_which_may_be_of_several_kinds_stay(folder):
    step = "{command: echo, environment: azureml:e@latest, inputs: {n: 7}}"
    found = _written(folder, f"type: pipeline\ntags: {{v: 1}}\njobs:\n  one: {step}\n")
    assert found["tags"] == {"v": "1"}
    assert found["jobs"]["one"]["inputs"] == {"n": 7}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data/d.yml", "name: d\ntype: uri_file\npath: a.csv\nversion: 7\n"),
        ("environments/conda.yml", "dependencies: [python=3.11]\nname: 5\n"),
        ("other.yml", "anything: 5\n"),
    ],
)
def test_document_without_such_a_place_stays_the_very_same(folder, name, text):
    [document] = documents.load(folder.put(name, text))
    assert checks.as_written(document) is document or checks.as_written(document).root is document.root
