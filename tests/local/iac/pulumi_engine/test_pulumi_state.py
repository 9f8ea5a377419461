"""The state file, the order of deletions, property paths, and what a preview foresees."""

import threading

import pytest

from mlops_kit.errors import LocalError
from mlops_kit.local.iac.pulumi_engine import deletion, state
from mlops_kit.local.iac.pulumi_engine.differences import differing, keep, matches, parse, spell
from mlops_kit.local.iac.pulumi_engine.forecast import forecast
from mlops_kit.local.iac.pulumi_engine.values import UNKNOWN, Secret, decode, encode, has_unknown, masked, secrets_in


def test_a_state_is_read_as_it_was_written(tmp_path, entry):
    path = tmp_path / "dev.json"
    secret = Secret({"key": "hunter", "nested": [Secret("deep")]})
    one = entry("a", "/a", inputs={"tags": {"x": 1}, "password": secret})
    with state.opened(path) as found:
        found.put(one)
        found.put(entry("b", "/b", "a"))
        found.supersede(entry("a", "/old"))
        found.set_outputs({"connection": Secret("hunter")})
    again = state.read(path)
    assert again.entries == {"u::a": one, "u::b": entry("b", "/b", "a")}
    assert again.superseded == {"/old": entry("a", "/old")}
    assert again.outputs == {"connection": Secret("hunter")}
    assert "hunter" not in path.read_text()
    assert "deep" not in path.read_text()


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 99, "resources": []}', "{"])
def test_a_damaged_state_is_named(tmp_path, text):
    path = tmp_path / "dev.json"
    path.write_text(text)
    with pytest.raises(LocalError, match="dev.json"):
        state.read(path)


def test_secrets_without_their_key_are_named(tmp_path):
    path = tmp_path / "dev.json"
    with state.opened(path) as found:
        found.set_outputs({"key": Secret("hunter")})
    (tmp_path / "secrets.key").unlink()
    with pytest.raises(LocalError, match=r"the secrets in .*dev.json cannot be read with .*secrets.key"):
        state.read(path)


def test_a_renamed_entry_is_renamed_wherever_it_is_named(tmp_path, entry):
    with state.opened(tmp_path / "dev.json") as found:
        for one in (entry("a", "/a"), entry("b", "/b", "a", parent="u::a")):
            found.put(one)
        new = "urn:pulumi:dev::shop::azure-native:resources:ResourceGroup::new"
        found.rename("u::a", new)
    after = state.read(tmp_path / "dev.json").entries
    assert after[new].id == "/a"
    assert (after["u::b"].dependencies, after["u::b"].parent) == ((new,), new)


def test_what_depends_on_another_or_lies_in_it_goes_first(entry):
    entries = [entry("group", "/g"), entry("in", "/g/in"), entry("user", "/h", "in"), entry("alone", "/z")]
    gone: list[str] = []
    lock = threading.Lock()

    def act(one):
        with lock:
            gone.append(one.name)
        return True

    deletion.each({one.urn: one for one in entries}, act, 3)
    assert gone.index("user") < gone.index("in") < gone.index("group")
    assert set(gone) == {"group", "in", "user", "alone"}


def test_after_a_failure_no_further_deletion_is_begun(entry):
    entries = [entry("a", "/a"), entry("b", "/b", "a"), entry("c", "/c", "b")]
    asked: list[str] = []

    def act(one):
        asked.append(one.name)
        return one.name != "b"

    deletion.each({one.urn: one for one in entries}, act, 1)
    assert asked == ["c", "b"]


@pytest.mark.parametrize("text", ["a", "a.b", "a[0].b", 'a["b.c"].d', "a.*", "a[*].b"])
def test_a_path_is_spelled_as_it_was_read(text):
    assert parse(spell(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("tags", "tags.a", True),
        ("tags.a", "tags", True),  # the whole is gone, and the part with it
        ("*", "anything.at.all", True),
        ("rules[*].port", "rules[3].port", True),
        ("rules[*].port", "rules[3].name", False),
        ("tags", "sku", False),
    ],
)
def test_a_pattern_covers_what_lies_below_it_and_above(pattern, path, expected):
    assert matches(parse(pattern), parse(path)) is expected


def test_differences_are_found_in_depth_and_secrets_by_their_value():
    before = {"a": {"b": [1, {"c": 2}]}, "key": Secret("x"), "same": Secret("y")}
    after = {"a": {"b": [1, {"c": 3}, 4]}, "key": Secret("z"), "same": "y", "new": UNKNOWN}
    assert [spell(path) for path, _, _ in differing(before, after)] == ["a.b[1].c", "a.b[2]", "key", "new"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("tags", {"tags": {"a": "1"}, "size": 2}),
        ("tags.a", {"tags": {"a": "1", "b": "2"}, "size": 2}),
        ("tags.b", {"tags": {"a": "2"}, "size": 2}),
        ("tags.*", {"tags": {"a": "1"}, "size": 2}),
        ("nothing.here", {"tags": {"a": "2", "b": "2"}, "size": 2}),
    ],
)
def test_ignored_places_are_as_they_were(pattern, expected):
    new = {"tags": {"a": "2", "b": "2"}, "size": 2}
    assert keep(new, {"tags": {"a": "1"}, "size": 1}, [pattern]) == expected
    assert new == {"tags": {"a": "2", "b": "2"}, "size": 2}


def test_values_pass_the_protocol_unharmed():
    values = {"text": "a", "whole": 3, "part": 1.5, "yes": True, "list": [1, {"x": Secret("s")}], "open": UNKNOWN}
    assert decode(encode(values)) == values
    assert decode(encode({"hidden": Secret({"a": [UNKNOWN]})})) == {"hidden": Secret({"a": [UNKNOWN]})}


def test_secrets_are_masked_and_found():
    value = {"a": Secret({"b": "hunter", "n": 1}), "c": ["d", UNKNOWN]}
    assert masked(value) == {"a": "[secret]", "c": ["d", "[unknown]"]}
    assert secrets_in(value) == {"hunter"}
    assert has_unknown(value)
    assert not has_unknown({"a": Secret(1)})
    assert "hunter" not in repr(value)


def test_a_preview_knows_what_the_inputs_decide_and_nothing_else():
    inputs = {"location": "westeurope", "tags": {"a": "b"}, "sku": {"name": "Basic"}, "zones": ["1"]}
    assert forecast(inputs, "/g/x", None) == {**inputs, "sku": UNKNOWN, "name": "x"}
    before = {"sku": {"name": "Basic", "tier": "Basic"}, "endpoint": "https://x"}
    assert forecast({"sku": {"name": "Premium"}}, "/g/x", before) == {
        "sku": {"name": "Premium", "tier": "Basic"},
        "endpoint": "https://x",
    }
