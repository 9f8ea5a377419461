"""The steps of a pipeline: what each needs, in which order they stand, and how each went."""

import pytest

from mlops_kit.workspace import graphs
from mlops_kit.workspace.children import Child, Ran
from mlops_kit.workspace.graphs import Step


def ran(title, status="Completed", seconds=2.0, reused=""):
    return Ran(Child(f"job-{title}", title, status, reused), {}, seconds)


def test_a_binding_anywhere_in_a_node_is_a_need():
    node = {
        "inputs": {"a": {"path": "${{parent.jobs.prep.outputs.x}}"}, "b": "${{ parent.jobs.prep.outputs.y }}"},
        "items": ["${{parent.jobs.other.outputs.z}}", "${{parent.inputs.data}}"],
    }
    assert graphs.needs(node) == {"prep": ("x", "y"), "other": ("z",)}


def test_a_step_stands_after_what_it_needs():
    steps = [Step("c", "command", {"b": ()}), Step("b", "command", {"a": ()}), Step("a", "command", {})]
    assert [step.name for step in graphs.in_order(steps)] == ["a", "b", "c"]


def test_a_need_that_is_no_step_and_a_cycle_do_not_hold_the_order_up():
    steps = [Step("a", "command", {"gone": ()}), Step("b", "command", {"c": ()}), Step("c", "command", {"b": ()})]
    assert [step.name for step in graphs.in_order(steps)] == ["a", "b", "c"]


def test_a_child_belongs_to_the_step_whose_name_or_display_name_it_has():
    nodes = {"prep": {"display_name": "Prepare"}, "train": {"type": "sweep"}}
    prep, train = graphs.steps(nodes, [ran("Prepare"), ran("train")])
    assert [each.child.name for each in prep.runs] == ["job-Prepare"]
    assert (train.kind, [each.child.name for each in train.runs]) == ("sweep", ["job-train"])


def test_the_turns_of_a_loop_are_the_runs_of_its_step():
    nodes: dict[str, dict[str, str]] = {"body": {}, "body_2": {}}
    body, other = graphs.steps(nodes, [ran("body_1"), ran("body_2"), ran("body_3", "Failed")])
    assert [each.child.title for each in body.runs] == ["body_1", "body_3"]
    assert [each.child.title for each in other.runs] == ["body_2"]
    assert body.status == "Failed"


@pytest.mark.parametrize(
    ("runs", "status", "is_reused", "seconds"),
    [
        ((), "NotStarted", False, None),
        ((ran("a"),), "Completed", False, 2.0),
        ((ran("a"), ran("b", "Running", 3.0)), "Running", False, 5.0),
        ((ran("a", reused="earlier"),), "Completed", True, None),
    ],
)
def test_a_step_is_as_its_runs_are(runs, status, is_reused, seconds):
    step = Step("s", "command", {}, runs)
    assert (step.status, step.is_reused, step.seconds) == (status, is_reused, seconds)
