"""Asking for the state of a job, and comparing what jobs logged."""

import math
from types import SimpleNamespace

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from mlops_kit.errors import UsageError
from mlops_kit.workspace import jobs
from mlops_kit.workspace.connect import Target, Workspace
from mlops_kit.workspace.credentials import Credential
from mlops_kit.workspace.waiting import NoAnswer


def ask(error):
    """Ask a service whose every answer is this error."""

    def get(_name):
        raise error

    return jobs.state(SimpleNamespace(jobs=SimpleNamespace(get=get)), "job-1")()


def refused(kind, status):
    error = kind(message="no")
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused(ClientAuthenticationError, 401), "HTTP 401"),
        (refused(HttpResponseError, 503), "HTTP 503"),
        (refused(HttpResponseError, 429), "HTTP 429"),
        (ServiceRequestError("reset"), "no connection"),
        (ClientAuthenticationError("the token expired"), "no token"),
    ],
)
def test_expired_token_and_busy_service_are_no_answer(error, reason):
    with pytest.raises(NoAnswer, match=f"^{reason}$"):
        ask(error)


def test_forbidden_is_an_answer():
    with pytest.raises(UsageError, match="could not ask for the state of 'job-1': not allowed"):
        ask(refused(HttpResponseError, 403))


def test_only_what_differs_is_compared():
    assert jobs.differing({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4}) == {
        "b": [2, 5],
        "c": [3, None],
        "d": [None, 4],
    }


def test_not_a_number_equals_itself():
    assert jobs.differing({"loss": math.nan}, {"loss": math.nan}) == {}


def test_step_of_a_pipeline_and_its_trials_show_no_secret_of_what_they_are_part_of():
    properties = {"mlops_kit.secrets": "jobs.train.environment_variables.LOGIN\njobs.train.inputs.table"}
    above = {"trial": "step", "step": "pipeline", "pipeline": None}
    found = {"step": SimpleNamespace(properties={}), "pipeline": SimpleNamespace(properties=properties)}
    runs = SimpleNamespace(get_run=lambda name: SimpleNamespace(parent_run_id=above[name]))
    ml = SimpleNamespace(jobs=SimpleNamespace(get=found.__getitem__, _runs_operations=runs))
    workspace = Workspace(Target("dev", "sub", "rg", "mlw"), ml, Credential("", None))
    trial = SimpleNamespace(properties={}, name="trial")
    known = {"environment_variables": {"LOGIN": "l", "HOST": "h"}, "inputs": {"table": "t", "rate": 1}, "command": "c"}
    shown = jobs.without_secrets(workspace, trial, known)
    assert shown == {
        "environment_variables": {"LOGIN": "***", "HOST": "h"},
        "inputs": {"table": "***", "rate": 1},
        "command": "c",
    }
