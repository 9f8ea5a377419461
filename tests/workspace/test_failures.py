"""What the SDK and the service raise becomes one sentence with the right exit code (field report R13)."""

import io
import json
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError

from mlops_kit.errors import DocumentError, OperationFailed, Place, UsageError
from mlops_kit.workspace import failures
from mlops_kit.workspace.quiet import quiet

JOB = """\
type: command
command: echo hello
environment: azureml:e:1
compute: azureml:cpu
"""


class Reply:
    """The little of an HTTP response that azure-core's errors read."""

    def __init__(self, status, body):
        self.status_code = status
        self.reason = "reason"
        self.headers = {"content-type": "application/json"}
        self.content = json.dumps(body).encode()
        self.request = None

    def text(self, _encoding=None):
        return self.content.decode()

    def body(self):
        return self.content


def refused(status, code, message, target=None, details=()):
    from azure.core.exceptions import ODataV4Format

    error = {"code": code, "message": message, "target": target, "details": list(details)}
    reply = Reply(status, {"error": error})
    return HttpResponseError(response=reply, error_format=ODataV4Format)


def load(text):
    from azure.ai.ml import load_job

    with quiet(), failures.readable("load job.yml", lambda key: Place("job.yml", 7) if key == "comand" else None):
        load_job(io.StringIO(text), relative_origin=str(Path("job.yml").absolute()))


def test_misspelt_key_is_one_sentence_at_its_line():
    with pytest.raises(DocumentError) as raised:
        load(JOB.replace("command:", "comand:"))

    assert str(raised.value) == "job.yml:7: could not load job.yml: comand: Unknown field (and 1 more)"


def test_missing_code_folder_is_one_sentence():
    with pytest.raises(UsageError) as raised:
        load(JOB + "code: ./nowhere\n")

    assert str(raised.value).startswith("could not load job.yml: code: Can't find directory or file")
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


def test_refused_request_is_the_users_fault():
    known = failures.explain(refused(400, "UserError", "The compute is unknown."), "submit it")

    assert isinstance(known, UsageError)
    assert str(known) == "could not submit it: The compute is unknown (UserError)"


def test_refused_field_is_shown_at_the_template_line():
    error = refused(400, "UserError", "Unknown compute.", target="properties.computeId")
    known = failures.explain(error, "submit it", lambda key: Place("job.yml", 4, 10) if key == "compute" else None)

    assert isinstance(known, DocumentError)
    assert str(known).startswith("job.yml:4:10: could not submit it: Unknown compute")


@pytest.mark.parametrize(
    ("target", "message", "key"),
    [
        ("properties.inputs.my-data.uri", "no", "inputs.my-data.uri"),
        ("properties.inputs.TrainData", "no", "inputs.TrainData"),
        ("properties.resources.instanceCount", "no", "resources.instance_count"),
        ("properties.environmentId", "no", "environment"),
        ("properties.dataUri", "no", "path"),
        ("properties.searchSpace.learningRate.min", "no", "search_space.learningRate.min"),
        ("properties.objective.primaryMetric", "no", "objective.primary_metric"),
        ("properties.trial.environmentId", "no", "trial.environment"),
        ("properties.jobs.prep.environmentId", "no", "jobs.prep.environment"),
        ("properties.rules[0].destination", "no", "rules.0.destination"),
        ("environmentVariables.MY_RUNNER", "no", "environment_variables.MY_RUNNER"),
        ("", "The field 'inputs.my-data' is 'wrong'.", "inputs.my-data"),
        ("", "Of 'train-1', 'properties.computeId' is unknown.", "compute"),
    ],
)
def test_field_is_found_by_the_key_of_the_template(target, message, key):
    error = refused(400, "UserError", message, target=target)
    known = failures.explain(error, "submit it", lambda asked: Place("job.yml", 4) if asked == key else None)

    assert str(known).startswith("job.yml:4: could not submit it: ")


def test_the_innermost_error_says_what_and_where():
    inner = {"code": "C", "message": "Too few.", "target": "properties.resources.instanceCount"}
    middle = {"code": "B", "message": "See inside.", "target": "properties.resources", "details": [inner]}
    error = refused(400, "A", "See inside.", "properties", [middle])
    known = failures.explain(
        error, "submit it", lambda asked: Place("job.yml", 4) if asked == "resources.instance_count" else None
    )

    assert str(known) == "job.yml:4: could not submit it: Too few (C)"


def test_what_is_not_implemented_is_no_failed_operation():
    known = failures.explain(refused(501, "NotImplemented", "Not here.", target="jobType"), "submit it")

    assert isinstance(known, UsageError)
    assert known.exit_code == 2


def test_broken_service_is_a_failed_operation():
    known = failures.explain(refused(503, "Busy", "Try later."), "submit it")

    assert isinstance(known, OperationFailed)
    assert known.exit_code == 1


def test_lost_connection_is_a_failed_operation():
    known = failures.explain(ServiceRequestError("getaddrinfo failed"), "submit it")

    assert str(known) == "could not submit it: no connection to the service (getaddrinfo failed)"


@pytest.mark.parametrize("status", [401, 429, 503])
def test_reply_that_says_nothing_about_the_job(status):
    assert failures.says_nothing(refused(status, "x", "y")) == f"HTTP {status}"


def test_missing_job_is_an_answer():
    error = ResourceNotFoundError(response=Reply(404, {"error": {"code": "NotFound", "message": "no"}}))

    assert failures.says_nothing(error) is None
    assert failures.is_missing(error)


def test_fault_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), failures.readable("divide"):
        _ = 1 / 0


def test_error_of_ours_passes_unchanged():
    with pytest.raises(OperationFailed, match="^as it was$"), failures.readable("do it"):
        raise OperationFailed("as it was")


def test_service_that_broke_while_it_answered_is_a_failed_operation_and_a_gap_is_a_usage_error():
    for code, expected in (("LocalControlPlaneFault", OperationFailed), ("NotImplemented", UsageError)):
        with pytest.raises(expected), failures.readable("submit the job"):
            raise refused(501, code, "It cannot.")
