"""What the SDK or the service refuses by the name of a field is told at the template's line (field report R13).

The requests go through the real SDK to the local control plane, which a file tells what to refuse.
"""

import json
import re

import pytest

JOB = """\
type: command
command: echo ${{inputs.depth}} ${{inputs.table}}
environment:
  image: python
compute: azureml:cpu-cluster
inputs:
  depth: 3
  table:
    type: uri_file
    path: azureml://datastores/workspaceblobstore/paths/table.csv
resources:
  instance_count: 1
environment_variables:
  MY_Runner: a
"""


@pytest.fixture
def refused(kit, write, commands_workspace):
    """Return what ``run`` says of a job that the service refuses with an error: ``line:column`` and the sentence."""
    file = commands_workspace.state / "faults.json"

    def run(error):
        operation = {"method": "PUT", "id": "*/jobs/*", "outcome": "refuse", "status": 400, **error}
        file.write_text(json.dumps({"operations": [operation]}))
        return _told(kit("run", write("jobs/refused.yml", JOB), "--no-wait"))

    yield run
    file.unlink(missing_ok=True)


def _told(ran):
    assert ran.code == 2, ran.err
    last = ran.err.splitlines()[-1]
    place = re.fullmatch(r"\S*refused\.yml:(\d+:\d+): error: (.*)", last)
    return place.groups() if place else last


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("properties.computeId", "5:1"),
        ("Properties.ComputeId", "5:1"),
        ("$.properties.environmentId", "3:1"),
        ("properties.resources.instanceCount", "12:3"),
        ("properties.inputs.table.uri", "8:3"),
        ("properties.inputs['table'].uri", "8:3"),
        ("properties.environmentVariables.MY_Runner", "14:3"),
    ],
)
def test_the_target_of_an_error_is_shown_at_its_line(refused, target, place):
    found = refused({"code": "UserError", "message": "It cannot be so.", "target": target})
    assert found[0] == place
    assert re.fullmatch(r"could not submit the job '[^']+': It cannot be so \(UserError\)", found[1])


def test_the_innermost_detail_says_what_and_where(refused):
    detail = {"code": "InvalidValue", "message": "One node is too few.", "target": "properties.resources.instanceCount"}
    found = refused(
        {"code": "ValidationError", "message": "See the details.", "target": "properties", "details": [detail]}
    )
    assert found[0] == "12:3"
    assert found[1].endswith("One node is too few (InvalidValue)")


def test_a_detail_without_a_target_leaves_the_place_to_the_error_around_it(refused):
    detail = {"code": "InvalidValue", "message": "There is no such cluster."}
    found = refused({"code": "UserError", "message": "Refused.", "target": "properties.computeId", "details": [detail]})
    assert found == ("5:1", found[1])
    assert found[1].endswith("There is no such cluster (InvalidValue)")


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("The value of properties.resources.instanceCount must be at least 2.", "12:3"),
        ('The field "computeId" is wrong.', "5:1"),
        ("`inputs.depth` has no type.", "7:3"),
        ("Of properties.inputs.table.jobInputType, 'x' is unknown.", "8:3"),
    ],
)
def test_a_field_in_the_message_is_shown_at_its_line(refused, message, place):
    assert refused({"code": "UserError", "message": message})[0] == place


def test_an_error_that_names_no_field_of_the_template_has_no_place(refused):
    found = refused({"code": "Quota", "message": "There are 0 cores left in 'westeurope'.", "target": "quota"})
    assert re.fullmatch(
        r"error: could not submit the job '[^']+': There are 0 cores left in 'westeurope' \(Quota\)", found
    )


def test_what_the_sdk_refuses_is_shown_at_its_line(kit, write):
    """The check is passed over, so that the SDK is the first to look."""
    wrong = "limits:\n  timeout: long  # mlops-kit: ignore[MK0105] let the SDK say\n"
    told = _told(kit("run", write("jobs/refused.yml", JOB + wrong), "--no-wait"))
    assert told == ("16:3", "could not load refused.yml: limits.timeout: Not a valid integer")


def test_a_field_of_an_asset_is_shown_at_its_line(kit, write, commands_workspace):
    file = commands_workspace.state / "faults.json"
    error = {"code": "UserError", "message": "Unknown store.", "target": "properties.dataUri"}
    operation = {"method": "PUT", "id": "*/data/refused/*", "outcome": "refuse", "status": 400, **error}
    file.write_text(json.dumps({"operations": [operation]}))
    text = "name: refused\ntype: uri_file\npath: azureml://datastores/workspaceblobstore/paths/a.csv\n"
    try:
        told = _told(kit("data", "register", write("data/refused.yml", text)))
    finally:
        file.unlink()
    assert told[0] == "3:1"
    assert told[1].endswith("Unknown store (UserError)")
