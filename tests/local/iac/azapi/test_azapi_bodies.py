"""What counts as drift, what is merged, what is exported: bodies as JSON."""

from __future__ import annotations

import pytest

pytest.importorskip("tf", reason="the extra 'infra' is not installed")

from mlops_kit.local.iac.azapi import bodies
from mlops_kit.local.iac.azapi.bodies import Comparison
from mlops_kit.local.iac.azapi.values import from_json

_ITEMS = [{"name": "a", "v": 1}, {"name": "b", "v": 2}]


@pytest.mark.parametrize(
    ("sent", "found", "how", "drifted"),
    [
        pytest.param({"a": 1}, {"a": 1, "added": 2}, {}, {"a": 1}, id="what the service adds is no drift"),
        pytest.param({"a": 1}, {"a": 2}, {}, {"a": 2}, id="another value is drift"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {}, {"a": 1, "b": 2}, id="what is not shown is no drift"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {"ignore_missing": False}, {"a": 1}, id="unless it is looked for"),
        pytest.param({"a": "X"}, {"a": "x"}, {}, {"a": "x"}, id="letter case is drift"),
        pytest.param({"a": "X"}, {"a": "x"}, {"ignore_casing": True}, {"a": "X"}, id="unless it is ignored"),
        pytest.param({"a": "secret"}, {"a": "***"}, {}, {"a": "secret"}, id="asterisks hide what was sent"),
        pytest.param({"a": None}, {"a": 1}, {}, {"a": 1}, id="null that became something is drift"),
        pytest.param({"a": None}, {"a": 1}, {"ignore_null": True}, {"a": None}, id="unless nulls are ignored"),
        pytest.param({"a": True}, {"a": 1}, {}, {"a": 1}, id="true is not one"),
        pytest.param(_ITEMS, _ITEMS[::-1], {}, _ITEMS, id="items meet by name whatever their order"),
        pytest.param(_ITEMS[:1], _ITEMS, {}, _ITEMS, id="an item that someone added is drift"),
        pytest.param(_ITEMS[:1], _ITEMS, {"ignore_others": {""}}, _ITEMS[:1], id="unless the others are ignored"),
        pytest.param(
            [{"k": 1, "v": 1}, {"k": 2, "v": 2}],
            [{"k": 2, "v": 3}, {"k": 1, "v": 1}],
            {"unique": {"": "k"}},
            [{"k": 1, "v": 1}, {"k": 2, "v": 3}],
            id="items meet by the field that is named",
        ),
        pytest.param([1, 2], [1, 2, 3], {}, [1, 2, 3], id="plain lists are compared whole"),
        pytest.param([], [1], {}, [1], id="an empty list that was filled is drift"),
    ],
)
def test_drift(sent, found, how, drifted):
    assert bodies.drifted(sent, found, Comparison(**how)) == drifted


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": _ITEMS}, {"a": [{"name": "b", "w": 3}]}, {"a": [_ITEMS[0], {"name": "b", "v": 2, "w": 3}]}),
        ({"a": [{"v": 1}, {"v": 2}]}, {"a": [{"w": 1}, {"w": 2}]}, {"a": [{"v": 1, "w": 1}, {"v": 2, "w": 2}]}),
        ({"a": [1]}, {"a": [2, 3]}, {"a": [2, 3]}),
        ({"a": 1}, {"a": None}, {"a": None}),
    ],
)
def test_merge(below, above, merged):
    assert bodies.merged(below, above) == merged


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        (None, {}),
        ([], {}),
        (["a.b", "a.c", "x.y"], {"a": {"b": 1, "c": [2]}}),
        (["*"], {"a": {"b": 1, "c": [2]}, "z": None}),
        ({"first": "a.c[0]", "none": "x"}, {"first": 2, "none": None}),
    ],
)
def test_output(wanted, output):
    answer = {"a": {"b": 1, "c": [2]}, "z": None}
    assert bodies.exported(answer, None if wanted is None else from_json(wanted)).json() == output


def test_a_query_that_is_none_is_told():
    from mlops_kit.local.iac.refusals import Refusal

    with pytest.raises(Refusal) as refused:
        bodies.exported({}, from_json({"x": "a[["}))
    assert "is no JMESPath query" in refused.value.detail


def test_paths_of_another_body_are_taken_or_taken_away():
    body, other = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}}
    assert bodies.with_paths(body, other, ["a.b", "d", "x.y"]) == {"a": {"b": 9, "c": 2}}
