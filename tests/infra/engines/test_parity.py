"""Both engines make the same of every environment: the same resources in the store, the same outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

SCENARIOS = yaml.safe_load((Path(__file__).parent / "scenarios.yaml").read_text(encoding="utf-8"))
DOCS = Path(__file__).resolve().parents[3] / "docs"
ENGINES = ("terraform", "pulumi")
# One of them is quick enough for the suite; `nox -s infra` runs them all.
NAMES = ["dev", *(pytest.param(name, marks=pytest.mark.infra) for name in ("local", "test", "prod", *SCENARIOS))]


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_leave_the_same_in_the_store(name, made, comparison, group_of):
    """But for the tag by which one engine keeps off what the other has made."""
    found = made(name)
    stored = [found.stored[engine] for engine in ENGINES]
    assert min(map(len, stored)) > 10
    differences = comparison.differences(*stored, ENGINES, found.values)
    group = group_of(found.values).lower()
    assert differences == [f'{group}: tags.mlops-kit-engine: terraform has "terraform", pulumi has "pulumi"']


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_tell_the_same_outputs(name, made, comparison):
    found = made(name)
    told = [found.told[engine] for engine in ENGINES]
    assert min(map(len, told)) > 20
    differences = comparison.same_outputs(*told, ENGINES)
    assert not differences, "the outputs differ:\n" + "\n".join(differences)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_body_is_one_of_its_published_type(engine, name, made, arm_types):
    sent = made(name).sent[engine]
    assert len(sent) > 10
    faults = [fault for one in sent for fault in _faults(arm_types, one)]
    assert not faults, "\n".join(faults)


def _faults(arm_types, sent):
    """Return what is wrong with a body; of some types another version is published than the one that was sent."""
    versions = {key.partition("@")[0]: key.partition("@")[2] for key in sorted(arm_types.index())}
    found = arm_types.validate(sent.type, sent.version, sent.body)
    if found is None:
        found = arm_types.validate(sent.type, versions[sent.type.lower()], sent.body)
    return [f"{sent.type}@{sent.version} {sent.id.rpartition('/')[2]}: {fault}" for fault in found]


@pytest.mark.infra
@pytest.mark.parametrize("engine", ENGINES)
def test_the_picture_of_the_documentation_shows_what_is_made(engine, made):
    picture = (DOCS / "modules" / "resources.svg").read_text(encoding="utf-8")
    assert {one.type for one in made("everything").sent[engine]} == set(
        re.findall(r"<title>(Microsoft\..*)</title>", picture)
    )


def test_a_difference_is_told_by_resource_and_property(comparison):
    left = {"/a": {"id": "/A", "properties": {"on": True, "who": "11111111-0000-0000-0000-000000000001"}}, "/b": {}}
    right = {"/a": {"id": "/a", "properties": {"who": "22222222-0000-0000-0000-000000000002", "rules": [1, 2]}}}
    assert comparison.differences(left, right, ENGINES, {}) == [
        '/a: id: terraform has "/A", pulumi has "/a"',
        "/a: properties.on: terraform has true, pulumi has none",
        "/a: properties.rules: terraform has none, pulumi has [1, 2]",
        "/b: only terraform makes it",
    ]


def test_what_a_service_makes_up_must_be_used_in_the_same_places(comparison):
    def store(one, other):
        return {"/a": {"principalId": one}, "/b": {"principalId": other}, "/c": {"principalId": other}}

    guids = [f"11111111-0000-0000-0000-00000000000{number}" for number in range(4)]
    assert comparison.differences(store(*guids[:2]), store(*guids[2:]), ENGINES, {}) == []
    (line,) = comparison.differences(
        store(*guids[:2]), {**store(*guids[2:]), "/c": {"principalId": guids[2]}}, ENGINES, {}
    )
    assert line.startswith('/c: principalId: terraform has "<made at /b.principalId>"')
