"""What counts as changed outside, and what a refresh records of it."""

import pytest

from mlops_kit.local.iac.pulumi_engine import state
from mlops_kit.local.iac.pulumi_engine.drift import moved, unlike
from mlops_kit.local.iac.pulumi_engine.resource_types import TYPES
from mlops_kit.local.iac.pulumi_engine.run import Request, Run
from mlops_kit.local.iac.pulumi_engine.values import Secret

COMPUTE = TYPES["machinelearningservices:Compute"]
# given inputs, recorded outputs, live outputs, inputs as they would have to be
CASES = {
    "a changed value": ({"tags": {"a": "1"}}, {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, {"tags": {"a": "2"}}),
    "an added tag": (
        {"tags": {"a": "1"}},
        {"tags": {"a": "1"}},
        {"tags": {"a": "1", "b": "2"}},
        {"tags": {"a": "1", "b": "2"}},
    ),
    "a removed tag": ({"tags": {"a": "1"}}, {"tags": {"a": "1"}}, {"tags": {}}, {"tags": {}}),
    "tags where there were none": (
        {"kind": "x"},
        {"kind": "x"},
        {"kind": "x", "tags": {"a": "1"}},
        {"kind": "x", "tags": {"a": "1"}},
    ),
    "what the service adds by itself": (
        {"sku": {"name": "Basic"}},
        {"sku": {"name": "Basic", "tier": "Basic"}},
        {"sku": {"name": "Basic", "tier": "Free"}, "createdAt": "now"},
        {"sku": {"name": "Basic"}},
    ),
    "what the service spells its own way": ({"size": "Big"}, {"size": "BIG"}, {"size": "BIG"}, {"size": "Big"}),
    "an id in other letters": ({"vault": "/a/B"}, {"vault": "/x"}, {"vault": "/A/b/"}, {"vault": "/a/B"}),
    "a region in other letters": (
        {"location": "westeurope"},
        {"location": "x"},
        {"location": "West Europe"},
        {"location": "westeurope"},
    ),
    "what is never answered": ({"password": "p"}, {}, {}, {"password": "p"}),
    "what is no longer answered": ({"tier": "Low"}, {"tier": "Low"}, {}, {}),
    "an item that was added": ({"ips": ["a"]}, {"ips": ["a"]}, {"ips": ["a", "b"]}, {"ips": ["a", "b"]}),
    "an item that is gone": ({"ips": ["a", "b"]}, {"ips": ["a", "b"]}, {"ips": ["a"]}, {"ips": ["a"]}),
    "a part of an item": (
        {"subnets": [{"name": "x"}]},
        {"subnets": [{"name": "x", "etag": "1"}]},
        {"subnets": [{"name": "y", "etag": "2"}]},
        {"subnets": [{"name": "y"}]},
    ),
    "a secret that was changed": ({"key": Secret("a")}, {"key": "a"}, {"key": "b"}, {"key": Secret("b")}),
    "a secret that stayed": ({"key": Secret("a")}, {"key": "a"}, {"key": "a"}, {"key": Secret("a")}),
    "what is written only": (
        {"properties": {"properties": {"userAccountCredentials": {"adminUserName": "ops"}}}},
        {"properties": {"properties": {"userAccountCredentials": {"adminUserName": "ops"}}}},
        {"properties": {"properties": {"userAccountCredentials": {"adminUserName": "***"}}}},
        {"properties": {"properties": {"userAccountCredentials": {"adminUserName": "ops"}}}},
    ),
}


@pytest.mark.parametrize(("given", "before", "live", "expected"), CASES.values(), ids=CASES)
def test_only_what_moved_since_it_was_recorded_is_drift(given, before, live, expected):
    assert moved(COMPUTE, given, before, live) == expected


def test_what_differs_from_the_program_is_named_by_its_path():
    given = {"tags": {"a": "1"}, "subnets": [{"name": "x"}], "vault": "/A"}
    live = {"tags": {"a": "2"}, "subnets": [{"name": "y", "etag": "1"}], "vault": "/a", "more": 1}
    assert unlike(given, live) == ["tags.a", "subnets[0].name"]
    assert unlike({"ips": ["a"]}, {"ips": []}) == ["ips"]


@pytest.fixture
def refresh(engine, tmp_path):
    def run():
        request = Request("refresh", tmp_path, "dev", engine.path, {})
        return Run(request, engine.cloud, lambda _: None, lambda _: None).execute()

    return run


def test_a_refresh_tells_what_was_changed_and_what_is_gone_and_the_next_up_repairs(engine, refresh, arm):
    wishes = (engine.resource_group(), engine.identity(inputs={"tags": {"team": "a"}}), engine.identity("two"))
    engine.run(*wishes)
    assert {step.action for step in refresh().report.steps} == {"same"}
    one, two = (engine.state.entries[wish.urn].id for wish in wishes[1:])
    arm("PUT", one, {"location": "westeurope", "tags": {"team": "b", "who": "me"}})
    arm("DELETE", two)
    _, changed, gone = refresh().report.steps
    assert (changed.name, changed.action) == ("one", "refresh")
    assert [(d.path, d.before, d.after) for d in changed.differences] == [
        ("tags.team", "a", "b"),
        ("tags.who", None, "me"),
    ]
    assert (gone.name, gone.action, gone.reasons) == ("two", "delete", ("it was deleted outside",))
    assert {step.action for step in refresh().report.steps} == {"same"}
    assert engine.actions(*wishes) == {"group": "same", "one": "update", "two": "create"}
    engine.run(*wishes)
    assert arm("GET", one)["tags"] == {"team": "a"}
    assert set(engine.actions(*wishes).values()) == {"same"}


def test_a_refresh_forgets_what_was_begun_and_never_made(engine, refresh):
    engine.run(engine.resource_group())
    with state.opened(engine.path) as found:
        found.put(state.Entry("u::lost", "azure-native:resources:ResourceGroup", f"{engine.id}-lost", begun="create"))
    assert [(step.name, step.reasons) for step in refresh().report.steps] == [
        ("group", ()),
        ("lost", ("it was never made",)),
    ]
