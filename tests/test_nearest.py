"""The name that a wrong one most likely means."""

import pytest

from mlops_kit.nearest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("cpu-clustr", ["gpu-cluster", "cpu-cluster"], ["cpu-cluster"]),
        ("Standard_ds3_V2", ["Standard_DS3_v2", "Standard_DS2_v2"], ["Standard_DS3_v2"]),
        ("display-name", ["description", "display_name"], ["display_name"]),
        ("inputs", ["outputs"], ["outputs"]),
        ("tags", ["description"], []),
        ("anything", [], []),
    ],
)
def test_closest_name_is_meant_and_none_where_nothing_is_close(word, known, meant):
    assert nearest(word, known) == meant


def test_several_are_offered_the_closest_first():
    assert nearest("train", ["strained", "trains", "other", "training"], 2) == ["trains", "training"]


def test_end_of_a_sentence_carries_the_prefix_of_what_is_meant():
    assert did_you_mean("resorce_group", ["resource_group"], "workspace.") == (
        ", did you mean 'workspace.resource_group'?"
    )
    assert did_you_mean("x", ["resource_group"]) == ""
