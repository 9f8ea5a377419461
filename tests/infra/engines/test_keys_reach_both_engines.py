"""Every key that an environment may have changes what both engines would make, or is a policy that makes nothing.

That a key changes the data of the engines is proved key by key beside this folder (`test_every_key.py`, whose values
are used here); this goes on to what is planned: by the real terraform binary from an empty state, and by the Pulumi
program on Pulumi's own mocks.
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlops_kit.infra import rules, settings

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]


def _module(name):
    spec = importlib.util.spec_from_file_location(f"{__name__}_{name}", HERE.parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


keys = _module("test_every_key")
KEYS = [key for key in keys.LEAVES if key not in keys.POLICIES]


def _text(infrastructure):
    return json.dumps(settings.values(infrastructure))


@pytest.fixture(scope="module")
def declared():
    """Return what the Pulumi program declares for an infrastructure."""
    mocks = _module("test_pulumi_modules")
    sys.path.insert(0, str(PROJECT))  # as infra/pulumi does, to find `modules`
    known = {}

    def of(infrastructure):
        values = _text(infrastructure)
        if values not in known:
            known[values] = mocks.declared(infrastructure)
        return known[values]

    yield of
    sys.path.remove(str(PROJECT))


@pytest.fixture(scope="module")
def planned(terraform_in, tmp_path_factory):
    """Return what terraform would make of values, from nothing: resources by address, and outputs."""
    copied = tmp_path_factory.mktemp("planned")
    for part in ("infra/terraform", "modules/terraform"):
        shutil.copytree(PROJECT / part, copied / part)
    terraform = terraform_in(copied / "infra" / "terraform")
    (terraform.folder / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    terraform.run("init")

    @functools.cache
    def plan(values):
        (terraform.folder / "terraform.tfvars.json").write_text(values, encoding="utf-8")
        terraform.run("plan", "-refresh=false", "-out=plan.bin")
        found = json.loads(terraform.run("show", "-json", "plan.bin"))
        changes = {one["address"]: one["change"] for one in found["resource_changes"]} | found["output_changes"]
        return {address: (one.get("after"), one["after_unknown"]) for address, one in changes.items()}

    return lambda infrastructure: plan(_text(infrastructure))


@pytest.fixture
def accepted(load, base):
    """Return two infrastructures that differ by one key; the first is one that many keys share, where it can be."""

    def infrastructure(key, *value):
        data = {**copy.deepcopy(base), "infra": copy.deepcopy(keys.EVERYTHING)}
        for beside, other in keys.BESIDE.get(key, {}).items():
            keys.put(data["infra"], beside, other)
        for gone in keys.TAKEN_AWAY.get(key, ()):
            keys.take(data["infra"], gone)
        if value:
            keys.put(data["infra"], key, *value)
        environment = load(data)
        refused = any(finding.severity == "error" for finding in rules.findings(environment))
        return None if refused else settings.infrastructure(environment)

    def two(key):
        values = keys.candidates(key, keys.LEAVES[key])
        found = [one for one in (infrastructure(key), *(infrastructure(key, value) for value in values)) if one]
        different = {_text(one): one for one in found}
        assert len(different) > 1
        return list(different.values())[:2]

    return two


@pytest.mark.infra
@pytest.mark.parametrize("key", KEYS)
def test_a_key_changes_what_both_engines_would_make(key, accepted, planned, declared):
    one, other = accepted(key)
    with ThreadPoolExecutor(1) as beside:
        plans = beside.submit(lambda: (planned(one), planned(other)))
        assert declared(one) != declared(other), "the Pulumi program declares the same"
        before, after = plans.result()
    assert before != after, "terraform plans the same"
