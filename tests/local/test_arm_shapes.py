"""Ids and shapes of request bodies."""

from __future__ import annotations

import pytest

from mlops_kit.local.arm import ids
from mlops_kit.local.arm.shapes import TAGS, shaped
from mlops_kit.local.arm.wire import BadRequestError

_SHAPE = {
    "name": str,
    "tags": TAGS,
    "limits": {"nodes": int, "when": (bool, str)},
    "rules": {"*": {"kind": str}},
    "steps": [{"id": int}],
}
_WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": None, "tags": {"a": None}, "limits": None, "rules": None, "steps": None},
        {"name": "n", "unknown": [1], "limits": {"nodes": 0, "when": True}, "rules": {"r": {}}, "steps": [{"id": 1}]},
        {"limits": {"when": "[later()]"}},
    ],
)
def test_body_of_the_shape_passes_unchanged(body):
    assert shaped(body, _SHAPE) == body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "The field 'body' must be an object, not []."),
        ({"name": 5}, "The field 'name' must be a text, not 5."),
        ({"tags": {"a": 1}}, "The field 'tags.a' must be a text, not 1."),
        ({"limits": {"nodes": True}}, "The field 'limits.nodes' must be a whole number, not True."),
        ({"limits": {"when": 1}}, "The field 'limits.when' must be true or false or a text, not 1."),
        ({"rules": {"r": None}}, "The field 'rules.r' must be an object, not null."),
        ({"steps": [{"id": 1}, {"id": "2"}]}, "The field 'steps[1].id' must be a whole number, not '2'."),
        ({"steps": [None]}, "The field 'steps[0]' must be an object, not null."),
    ],
)
def test_first_field_that_does_not_fit_is_named(body, told):
    with pytest.raises(BadRequestError) as fault:
        shaped(body, _SHAPE)
    assert fault.value.message == told


def test_id_is_taken_apart_in_any_letter_case():
    parts = ids.parse(f"{_WORKSPACE.replace('resourceGroups', 'resourcegroups')}/onlineEndpoints/e/deployments/d")
    assert (parts["subscriptions"], parts["resourcegroups"], parts["workspaces"]) == ("s", "g", "w")
    assert (parts["onlineendpoints"], parts["deployments"]) == ("e", "d")


@pytest.mark.parametrize(
    ("resource_id", "kind"),
    [
        ("/subscriptions/s", "Microsoft.Resources/subscriptions"),
        ("/subscriptions/s/resourceGroups/g", "Microsoft.Resources/resourceGroups"),
        (f"{_WORKSPACE}/jobs/j", "Microsoft.MachineLearningServices/workspaces/jobs"),
        (
            f"{_WORKSPACE}/providers/Microsoft.Authorization/roleAssignments/r",
            "Microsoft.Authorization/roleAssignments",
        ),
    ],
)
def test_type_is_read_from_the_last_provider_of_an_id(resource_id, kind):
    assert ids.type_of(resource_id) == kind


def test_workspace_and_group_are_read_from_what_is_inside():
    assert ids.workspace_of(f"{_WORKSPACE}/jobs/j") == _WORKSPACE
    assert ids.group_of(f"{_WORKSPACE}/jobs/j") == "/subscriptions/s/resourceGroups/g"
