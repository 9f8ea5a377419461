"""Physical names: deterministic, valid or reported, cut with a hash where a service allows less (R40)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_kit import environments
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import name_rules, names, rules
from mlops_kit.infra.services import RULES
from mlops_kit.infra.wanted import wanted

PROJECT = Path(__file__).resolve().parents[2]
EVERY_KIND = {
    "profile": "secure",
    "storage": {"containers": ["data"]},
    "observability": {"emails": ["ops@example.com"]},
    "identity_and_access": {"github": {"repository": "Acme-Org/Fc-App", "pull_requests": True}},
    "workspace": {"network": "byo_vnet"},
    "compute": {"clusters": {"cpu": {}}, "instances": {"ana": {}}},
    "kubernetes": {"compute_name": "aks-pool"},
    "registry": {},
    "data_trigger": {"triggers": {"new-data": {"container": "data", "pipeline": "train"}}},
    "budget": {"amount": 1, "start": "2026-01-01", "emails": ["ops@example.com"]},
}


def test_names_of_the_shipped_environments_are_what_they_were(shipped):
    """A changed name replaces the resource, with all that is in it."""
    found = names.physical_names(shipped("dev"))
    assert found["storage"] == "stmlopskitdev26a8b"
    assert found["key_vault"] == "kv-mlops-kit-dev-26a8b"
    assert found["container_registry"] == "crmlopskitdev26a8b"
    assert found["workspace"] == "mlw-mlops-kit-dev"
    assert found["cluster.cpu-cluster"] == "cpu-cluster"


def test_names_are_the_same_in_another_process(shipped):
    code = (
        "import json, pathlib\nfrom mlops_kit import environments\nfrom mlops_kit.infra import names\n"
        f"folder = pathlib.Path({str(PROJECT / 'environments')!r})\n"
        "process = {'AZURE_SUBSCRIPTION_ID': '11111111-2222-3333-4444-555555555555'}\n"
        "print(json.dumps(names.physical_names(environments.load(folder, 'prod', process=process))))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == names.physical_names(shipped("prod"))


def test_suffix_differs_between_subscriptions_environments_and_projects(load, base):
    def storage(project="shop", name="dev", subscription=None):
        changed = {**base, "project": project, "infra": {"stem": "same"}}
        if subscription:
            changed["workspace"] = {**base["workspace"], "subscription_id": subscription}
        return names.physical_names(load(changed, name))["storage"]

    found = {storage(), storage("store"), storage(name="test"), storage(subscription="2" * 36)}
    assert len(found) == 4
    assert all(name.startswith("stsame") for name in found)


def test_given_suffix_makes_names_independent_of_the_subscription(load, base):
    del base["workspace"]["subscription_id"]
    with pytest.raises(EnvironmentFileError, match="has no workspace.subscription_id"):
        names.physical_names(load(base))
    base["infra"]["suffix"] = "abc"
    assert names.physical_names(load(base))["storage"] == "stshopdevabc"


def test_long_stem_is_cut_with_a_hash_of_the_whole(load, base):
    base["infra"] = {"suffix": "0918"}
    found = {}
    for project in ("mlopsv2hez-and-a-longer-name-one", "mlopsv2hez-and-a-longer-name-two"):
        found[project] = names.physical_names(load({**base, "project": project}, "prod"))
    one, two = found.values()
    for key in ("storage", "key_vault"):
        assert one[key] != two[key]
        assert len(one[key]) == 24
        assert one[key].endswith("0918")
    assert re.fullmatch(r"stmlopsv2heza[a-z0-9]*0918", one["storage"])
    assert "--" not in one["key_vault"]


def test_given_name_is_taken_as_it_stands(load, base):
    base["infra"] = {"storage": {"name": "existingstorage"}, "key_vault": {"name": "Existing-Vault"}}
    found = names.physical_names(load(base))
    assert (found["storage"], found["key_vault"]) == ("existingstorage", "Existing-Vault")


def test_every_kind_of_name_has_a_rule_and_an_example(load, base):
    found = names.names_of(environment := load({**base, "infra": EVERY_KIND}), wanted(environment))
    approved = {**base, "infra": {"workspace": {"network": "managed", "isolation": "allow_only_approved_outbound"}}}
    approved["infra"]["workspace"]["outbound_rules"] = {"pypi": {"fqdn": "pypi.org"}}
    found += names.names_of(environment := load(approved), wanted(environment))
    assert {name.kind for name in found} == set(RULES)
    assert all(name.rule.accepts(name.text) for name in found)


# Rows of R40 and of the services' own documentation.
@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("storage", ["abc", "a" * 24, "0a1"], ["ab", "a" * 25, "A-b", "a_bc", "ünï"]),
        ("key_vault", ["kv1", "a-b-c", "A" * 24], ["kv", "1kv", "a--b", "ab-", "a" * 25, "a_bc"]),
        ("container_registry", ["acr12", "A" * 50], ["acr1", "a" * 51, "a-bcd", "a_bcd"]),
        ("workspace", ["mlw", "1a-_", "m" * 33], ["ml", "-mlw", "m" * 34, "m.lw"]),
        ("cluster", ["cpu", "cpu-a1", "cpu1", "c" * 24], ["c1", "cpu-cluster-1", "cpu-1", "1cpu", "c" * 25, "c_pu"]),
        ("instance", ["ana", "ci-ana"], ["ci-1", "c" * 25]),
        ("kubernetes_compute", ["k8s", "k8"], ["k", "k" * 17, "k8-1"]),
        ("node_pool", ["system", "p1"], ["1p", "Pool", "a-b", "p" * 13]),
        ("registry", ["mlr", "m-_r"], ["mr", "-mr", "m" * 34]),
        ("queue", ["abc", "a-b"], ["ab", "a--b", "-ab", "Abc", "q" * 64]),
        ("resource_group", ["rg", "r.g", "(rg)"], ["rg.", "r/g", "r" * 91, ""]),
    ],
)
def test_rule_of_a_service(kind, good, bad):
    rule = RULES[kind]
    assert [text for text in good if not rule.accepts(text)] == []
    assert [text for text in bad if rule.accepts(text)] == []


def test_derived_key_vault_name_ends_in_no_hyphen_and_has_none_twice():
    for stem in ("a--b", "-a-", "a" * 9 + "-" + "b" * 30, "a-b-" * 20, "___", "é"):
        text = names.Stems(stem, "f00d1").name("key_vault", "kv", unique=True)
        assert RULES["key_vault"].accepts(text), text


FILE_NAMES = st.text("abcXYZ019-_. é", min_size=1, max_size=60).filter(lambda text: text.strip(". ") == text != "base")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(project=st.text(min_size=1, max_size=80).filter(str.isprintable), name=FILE_NAMES, data=st.data())
def test_any_project_and_environment_gives_valid_names_or_findings(load, base, project, name, data):
    literal = project.replace("${", "")
    changed = {**base, "project": literal or "p", "infra": EVERY_KIND}
    if data.draw(st.booleans()):
        changed["workspace"] = {**base["workspace"], "name": "mlw-${project.name}-${env.name}"}
    environment = load(changed, name)
    reported = {finding.message for finding in rules.findings(environment) if finding.code == "MK0611"}
    for each in names.names_of(environment, wanted(environment)):
        derived = not each.path or each.kind == "alert"
        assert each.rule.accepts(each.text) or not derived, each
        assert each.rule.accepts(each.text) or any(f"`{'.'.join(each.path)}`" in text for text in reported), each


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(sorted(RULES)), text=st.text(min_size=0, max_size=100))
def test_offer_for_a_wrong_name_is_a_right_one(kind, text):
    offer = name_rules.offer(names.Name(kind, kind, text))
    assert offer == "" or RULES[kind].accepts(offer)


@pytest.mark.parametrize("name", environments.known(PROJECT / "environments"))
def test_environment_of_the_project_is_free_of_findings(name, shipped):
    assert rules.findings(shipped(name)) == ()


@pytest.mark.parametrize(
    "workspace", ["mlw-local", "mlw_local__x", "a-name-of-the-workspace-with-33-c", "w-_-w-------------w_____x"]
)
def test_an_environment_on_this_machine_has_the_names_of_what_its_control_plane_makes(load, base, workspace):
    from mlops_kit.local.providers.workspaces import name_beside

    base["workspace"]["name"] = workspace
    environment = load(base, own="local: {network: deny}")
    found = names.physical_names(environment)
    assert found["storage"] == "devstoreaccount1"
    assert found["key_vault"] == name_beside("kv", workspace, 24)
    assert found["log_analytics"] == name_beside("log", workspace, 63)
    assert found["application_insights"] == name_beside("appi", workspace, 255)
    assert all(name.rule.accepts(name.text) for name in names.names_of(environment, wanted(environment)))
