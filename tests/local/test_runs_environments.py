"""What an environment asks for, and in which ways the interpreter differs from it."""

from __future__ import annotations

import pytest

from mlops_kit.local.arm.store import Resource
from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.runs import environments
from mlops_kit.local.runs.environments import Specification

CONDA = """
name: x
channels: [conda-forge]
dependencies:
  - python=3.10
  - pip=23
  - numpy=1.26
  - conda-forge::pytorch==2.1.0
  - scipy>=1.10,<2
  - pandas
  - pip:
      - scikit-learn~=1.5
      - -r more.txt
      - mlflow
"""


def _environment(**properties):
    return Resource({"id": "/w/environments/e/versions/1", "name": "1", "properties": properties}, {})


def test_conda_file_is_read_as_requirements():
    wanted = environments.specification(_environment(condaFile=CONDA))
    assert wanted.python == "3.10"
    assert wanted.requirements == (
        "numpy==1.26.*",
        "torch==2.1.0",
        "scipy>=1.10,<2",
        "pandas",
        "scikit-learn~=1.5",
        "mlflow",
    )
    assert wanted.remarks == ("the pip option '-r more.txt' is ignored",)


def test_same_packages_in_another_order_are_the_same_environment():
    assert Specification("a", "3.11", ("x", "y")).digest == Specification("b", "3.11", ("y", "x")).digest
    assert Specification("a", "3.11", ("x",)).digest != Specification("a", "3.11", ("x==2",)).digest


def test_every_difference_is_named():
    wanted = Specification("e", "3.10", ("numpy==1.26.*", "pandas", "scikit-learn~=1.5", "absent>=1"), ("the image",))
    have = {"numpy": "2.0", "pandas": "2.2", "scikit-learn": "1.6.1"}
    assert environments.differences(wanted, have.get, "3.11.7") == [
        "the image",
        "python: asked for 3.10, running 3.11.7",
        "numpy: asked for ==1.26.*, installed 2.0",
        "absent: asked for >=1, not installed",
    ]


def test_what_fits_is_no_difference():
    wanted = Specification("e", "3.11", ("numpy>=1", 'windows-only; sys_platform == "win32"'))
    assert environments.differences(wanted, {"numpy": "2.0"}.get, "3.11.7") == []


def test_the_tracking_plugin_of_azure_is_not_missed_here_but_its_version_counts():
    wanted = Specification("e", "3.11", ("azureml-mlflow>=1.62", "mlflow"))
    assert environments.differences(wanted, {"mlflow": "3.1"}.get, "3.11.7") == []
    assert environments.differences(wanted, {"mlflow": "3.1", "azureml-mlflow": "1.50"}.get, "3.11.7") == [
        "azureml-mlflow: asked for >=1.62, installed 1.50"
    ]


def test_an_image_says_that_its_packages_are_not_known():
    [remark] = environments.specification(_environment(image="reg.io/a:1")).remarks
    assert "reg.io/a:1" in remark


@pytest.mark.parametrize(
    ("default", "variables", "chosen"), [("host", {}, "host"), ("host", {environments.CHOICE: "venv"}, "venv")]
)
def test_a_job_may_choose_its_runner(default, variables, chosen):
    assert environments.runner(default, variables) == chosen


def test_docker_is_refused_with_a_reason():
    with pytest.raises(ArmError, match="'docker' is not available"):
        environments.runner("host", {environments.CHOICE: "docker"})
