"""Public material that these tests read from outside the tree; without it they skip and say what is missing."""

import os
from pathlib import Path

import pytest


def _folder(variable: str, what: str) -> Path:
    folder = os.environ.get(variable)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"{variable} does not name a checkout of {what}")
    return Path(folder)


@pytest.fixture(scope="session")
def labs():
    """Return the Labs folder of a checkout of MicrosoftLearning/mslearn-azure-ml."""
    return _folder("MLOPS_KIT_LABS", "MicrosoftLearning/mslearn-azure-ml") / "Labs"


@pytest.fixture(scope="session")
def examples():
    """Return the cli folder of a checkout of Azure/azureml-examples."""
    return _folder("MLOPS_KIT_EXAMPLES", "Azure/azureml-examples") / "cli"
