"""Terraform values on the wire, in state files and as JSON."""

from __future__ import annotations

import json
import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

msgpack = pytest.importorskip("msgpack", reason="the extra 'infra' is not installed")
pytest.importorskip("tf", reason="the extra 'infra' is not installed")

from mlops_kit.local.iac.azapi import tables, values  # noqa: E402  needs both
from mlops_kit.local.iac.azapi.values import Dynamic  # noqa: E402

_NAMES = st.text(string.ascii_letters + "._-ä", min_size=1, max_size=6)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.text(max_size=8), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)


def _plain(value: Any) -> Any:
    """A float that is whole is the same number as an integer, in Terraform as in JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() else value


@given(JSON)
def test_json_comes_back_from_the_wire_as_it_was(data):
    wire = values.encode({"body": values.from_json(data)})
    back = values.decode(wire, ["body"])
    assert back is not None
    assert values.same(_plain(back["body"].json()), _plain(data))


@given(JSON)
def test_a_decoded_value_is_encoded_to_the_same_bytes(data):
    wire = values.encode({"body": values.from_json(data)})
    assert values.encode(values.decode(wire, ["body"])) == wire


@given(JSON)
def test_a_state_file_holds_the_same_value(data):
    made = values.from_json(data)
    stored = {"body": {"value": _plain(data), "type": made.type}}
    state = tables.RESOURCE.from_state(json.dumps(stored).encode())
    assert values.same(_plain(state["body"].json()), _plain(data))


@given(JSON, JSON)
def test_a_value_made_after_another_has_the_data_it_was_given(data, like):
    made = values.from_json(data, values.from_json(like).type)
    assert values.same(_plain(made.json()), _plain(data))


def test_a_list_stays_a_list_and_a_map_a_map_as_long_as_the_items_fit():
    like = ["object", {"zones": ["list", "string"], "tags": ["map", "string"]}]
    assert values.from_json({"zones": ["1", "2"], "tags": {"a": "b"}}, like).type == like
    changed = values.from_json({"zones": ["1", 2], "tags": {"a": 1}}, like).type
    assert changed == ["object", {"zones": ["tuple", ["string", "number"]], "tags": ["object", {"a": "number"}]}]


def test_unknown_values_go_back_as_they_came_with_their_refinements():
    for code, data in ((0, b"\x00"), (12, b"\x81\x01\xc2")):
        wire = msgpack.packb([b'"string"', msgpack.ExtType(code, data)])
        whole = msgpack.packb({"body": msgpack.unpackb(wire, raw=False)}, use_bin_type=True)
        decoded = values.decode(whole, ["body"])
        assert decoded is not None
        assert values.is_unknown(decoded["body"])
        assert values.encode(decoded) == whole


def test_a_number_that_no_double_holds_is_text_on_the_wire():
    assert values.from_json([0.1, 0.5, 2**70, 7]).value == ["0.1", 0.5, str(2**70), 7]
    assert Dynamic(["tuple", ["number", "number"]], ["0.1", "1180591620717411303424"]).json() == [0.1, 2**70]


def test_true_is_not_one_and_unknown_equals_nothing():
    assert not values.same({"a": True}, {"a": 1})
    assert values.same([1, 2.0], [1.0, 2])
    assert not values.same(values.UNKNOWN, values.UNKNOWN)
