"""Trials in the order of a metric (L9-28)."""

import math

import pytest

from mlops_kit.errors import UsageError
from mlops_kit.workspace import sweeps
from mlops_kit.workspace.children import Child, Ran, child
from mlops_kit.workspace.sweeps import Sweep


def trial(name, status="Completed", **metrics):
    return Ran(Child(name, name, status), metrics, 1.0)


TRIALS = (
    trial("silent"),
    trial("failed", "Failed", auc=0.99),
    trial("low", auc=0.5, loss=0.1),
    trial("nan", auc=math.nan),
    trial("high", auc=0.9, loss=0.7),
)


def order(metric="", is_minimized=False):
    sweep = Sweep("job", "auc", is_minimized, TRIALS, "")
    return [each.child.name for each in sweeps.ranked(sweep, metric)]


def test_the_best_comes_first_and_what_failed_last():
    assert order() == ["high", "low", "silent", "nan", "failed"]


def test_the_lowest_is_first_where_the_sweep_minimizes():
    assert order(is_minimized=True) == ["low", "high", "silent", "nan", "failed"]


def test_another_metric_is_sorted_highest_first_whatever_the_goal():
    assert order("loss", is_minimized=True)[:2] == ["high", "low"]


def test_a_metric_that_no_trial_logged_is_answered_with_those_there_are():
    with pytest.raises(UsageError, match="'acu'; did you mean auc"):
        order("acu")


class Listed:
    """A child as the SDK lists it."""

    name, display_name, status = "job_0", None, "Completed"

    def __init__(self, **fields):
        self.properties, self.tags = fields.get("properties"), fields.get("tags")


@pytest.mark.parametrize("place", ["properties", "tags"])
def test_hyperparameters_are_read_where_the_service_keeps_them(place):
    found = child(Listed(**{place: {"hyperparameters": '{"--lr": 0.1, "depth": 3}'}}))
    assert (found.title, found.parameters) == ("job_0", {"lr": 0.1, "depth": 3})


def test_a_child_without_hyperparameters_has_none():
    assert child(Listed()).parameters == {}
