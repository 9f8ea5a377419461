"""The typed result of plans and runs: what it counts, how it reads, and that it survives a file."""

import json

from hypothesis import given
from hypothesis import strategies as st

from mlops_kit.infra.changes import (
    MOST_DIFFERENCES,
    Change,
    Changes,
    Difference,
    as_text,
    differences,
    from_dict,
    summary_line,
)

CLUSTER = Change(
    "module.compute.this",
    "Microsoft.MachineLearningServices/workspaces/computes",
    "cpu",
    "replace",
    "/subscriptions/1/computes/cpu",
    ("body.properties.vmSize cannot change in place",),
    (Difference("body.properties.vmSize", "small", "large"),),
)
SAME = Change("module.storage.this", "Microsoft.Storage/storageAccounts", "st", "same")


def test_every_action_is_counted_and_what_stays_is_no_change():
    found = Changes("dev", "terraform", (CLUSTER, SAME, SAME))
    assert found.summary == {
        "create": 0,
        "update": 0,
        "replace": 1,
        "delete": 0,
        "adopt": 0,
        "forget": 0,
        "same": 2,
    }
    assert found.real == (CLUSTER,)
    assert found.differs
    assert summary_line(found) == "1 replace, 2 same"


def test_nothing_to_do_differs_in_nothing():
    assert not Changes("dev", "pulumi", (SAME,)).differs
    assert summary_line(Changes("dev", "pulumi")) == "nothing to do"


def test_an_output_that_changes_is_something_to_do():
    assert Changes("dev", "terraform", (SAME,), outputs=("workspace_id",)).differs


def test_text_gives_each_resource_its_reason_and_its_differences():
    lines = as_text(Changes("dev", "terraform", (CLUSTER, SAME), drift=(CLUSTER,))).splitlines()
    assert lines[0] == (
        "-/+ replace Microsoft.MachineLearningServices/workspaces/computes cpu (module.compute.this): "
        "body.properties.vmSize cannot change in place"
    )
    assert lines[1] == '        body.properties.vmSize: "small" -> "large"'
    assert lines[2] == "changed outside:"
    assert lines[-1] == "1 replace, 1 same"


def test_text_cuts_many_differences_and_long_values():
    many = tuple(Difference(f"tags.{index}", None, "x" * 100) for index in range(20))
    text = as_text(Changes("dev", "terraform", (Change("a", "t", "n", "update", differences=many),)))
    assert f"and {20 - MOST_DIFFERENCES} more" in text
    assert max(map(len, text.splitlines())) < 100


def test_changes_come_back_from_json_as_they_were():
    found = Changes("dev", "terraform", (CLUSTER,), (CLUSTER,), ("workspace_id",))
    assert from_dict(json.loads(json.dumps(found.as_dict()))) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_a_value_does_not_differ_from_itself(value):
    assert list(differences(value, value)) == []


@given(JSON, JSON)
def test_differences_are_the_same_seen_from_both_sides(before, after):
    one = {(each.path, repr(each.before), repr(each.after)) for each in differences(before, after)}
    other = {(each.path, repr(each.after), repr(each.before)) for each in differences(after, before)}
    assert one == other


def test_differences_name_the_place():
    before = {"tags": {"a": "1"}, "rules": [{"id": "x"}, {"id": "y"}]}
    after = {"tags": {"a": "2", "b": "3"}, "rules": [{"id": "x"}]}
    assert list(differences(before, after)) == [
        Difference("tags.a", "1", "2"),
        Difference("tags.b", None, "3"),
        Difference("rules[1]", {"id": "y"}, None),
    ]


def test_a_resource_is_called_by_its_address_its_id_and_its_name():
    assert all(CLUSTER.is_called(name) for name in ("module.compute.this", "CPU", "/SUBSCRIPTIONS/1/computes/cpu"))
    assert not CLUSTER.is_called("gpu")
    assert not SAME.is_called("")
