"""Faults of an infrastructure: found before any tool runs, each at its line, all in one go."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from mlops_kit.infra import name_rules, rules, settings

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
HEAD = f"""\
project: shop
location: westeurope
workspace:
  subscription_id: {SUBSCRIPTION}
  resource_group: rg-shop
  name: mlw-shop
"""
CASES = [
    pytest.param(case["infra"], case["finds"], id=case["finds"][0][:60])
    for case in yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))
]
HOME = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub"


@pytest.fixture
def found(load):
    """Return a function: the findings of an infra section, as ``line:code: message; hint``, counted from its own."""

    def findings_of(infra, head=HEAD, name="dev"):
        text = head + "infra:\n" + textwrap.indent(textwrap.dedent(infra), "  ")
        lines = []
        for finding in rules.findings(load(text, name)):
            line = finding.place.line - head.count("\n") - 1
            assert finding.place.path == "shop/environments/base.yaml"
            lines.append(f"{line}: {finding.code} {finding.message}" + (f"; {finding.hint}" if finding.hint else ""))
        return lines

    return findings_of


PROTECTED = f"protected: true\n{HEAD}"


@pytest.mark.parametrize(("infra", "expected"), CASES)
def test_fault_is_one_finding_at_its_line(infra, expected, found):
    assert found(infra) == expected


@pytest.mark.parametrize(
    ("infra", "expected"),
    [
        ("profile: quick\n", {"workspace", "storage", "key_vault", "container_registry", "purged"}),
        ("profile: secure\nworkspace:\n  public_access: all\n", {"workspace"}),
        ("profile: secure\nregistry: {}\n", {"registry"}),
        ("profile: secure\nsoft_deleted: purge\n", {"purged"}),
        ("profile: secure\nkey_vault:\n  purge_protection: false\n", {"purged"}),
        ("profile: secure\ncompute:\n  clusters:\n    cpu: {tier: low_priority}\n", {"taken"}),
        ("profile: secure\ncompute:\n  instances:\n    ana: {ssh: {public_key: ssh-rsa A}}\n", {"ssh"}),
        ("profile: secure\nkubernetes:\n  extension: {load_balancer: true}\n", {"scoring"}),
    ],
)
def test_protected_environment_is_neither_open_nor_lost(infra, expected, found):
    lines = found(infra, PROTECTED, "prod")
    assert lines
    assert all(" MK0616 " in line and "prod is protected" in line for line in lines)
    assert all(any(word in line for line in lines) for word in expected)
    assert len(lines) == len(expected)
    assert not any("MK0616" in line for line in found(infra))


def test_opening_of_a_protected_environment_can_be_allowed_by_name(found):
    infra = "profile: secure\nworkspace: {public_access: all}\nallowed_when_protected: [public_network]\n"
    assert found(infra, PROTECTED) == []


def test_purge_of_a_protected_environment_cannot_be_allowed(found):
    infra = "profile: secure\nsoft_deleted: purge\nallowed_when_protected: [public_network, ssh, low_priority]\n"
    assert len(found(infra, PROTECTED)) == 1


def test_r45_private_network_without_the_rest_is_three_findings(found):
    lines = found(f"""\
        workspace:
          network: managed
          image_build_compute: null
        container_registry:
          sku: Basic
        compute:
          clusters:
            cpu: {{subnet_id: {HOME}/x}}
    """)
    assert [line.partition(" MK")[0] for line in lines] == ["3:", "5:", "8:"]


def test_name_that_is_too_long_in_one_environment_is_told_in_that_one(load):
    base = HEAD.replace("mlw-shop", "mlw-${project.name}-abcdefghijklmnop-${env.name}")
    assert rules.findings(load(base + "infra: {}\n", "dev")) == ()
    [finding] = rules.findings(load(base + "infra: {}\n", "production"))
    assert str(finding) == (
        "shop/environments/base.yaml:6:9: error[MK0611]: `workspace.name` is `mlw-shop-abcdefghijklmnop-production` in "
        "production: 36 characters, allowed are 3 to 33; did you mean `mlw-shop-abcdefghijklmnop-p-2b5c8`"
    ).replace("2b5c8", str(finding)[-6:-1])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "error[MK0702]: environment 'dev' has no workspace.subscription_id"),
        ("  subscription_id: ${process.NO_SUCH}\n", "environment variable 'NO_SUCH' is not set"),
        ("  subscription_id: mine\n", "error[MK0107]: `workspace.subscription_id` is `mine`, and a subscription id is"),
    ],
)
def test_missing_or_wrong_subscription_is_one_finding_and_hides_no_other(line, expected, load):
    head = HEAD.replace(f"  subscription_id: {SUBSCRIPTION}\n", line)
    findings = rules.findings(load(head + "infra: {compute: {clusters: {cpu-1: {}}}}\n"))
    assert [finding.code for finding in findings if "cpu-1" in finding.message] == ["MK0611"]
    assert len(findings) == 2
    assert any(expected in str(finding) for finding in findings)


def test_default_compute_that_is_not_created_is_a_warning(load):
    text = HEAD + "compute: cpu-clutser\ninfra: {compute: {clusters: {cpu-cluster: {}}}}\n"
    [finding] = rules.findings(load(text))
    assert (finding.severity, finding.place.line, finding.hint) == ("warning", 7, "did you mean `cpu-cluster`")


def test_value_that_cannot_be_evaluated_is_its_own_finding(load):
    [finding] = rules.findings(load(HEAD + "infra:\n  stem: ${process.NO_SUCH}\n"))
    assert finding.code == "MK0701"
    assert finding.place.line == 8


def test_name_that_two_environments_are_given_is_found(load):
    one = load(HEAD + "infra: {storage: {name: sharedstore}}\n", "dev")
    other = load(HEAD + "infra: {storage: {name: sharedstore}}\n", "prod")
    [finding] = name_rules.clashes([one, other])
    assert finding.code == "MK0612"
    assert finding.message == "`infra.storage.name` is `sharedstore` in prod and in dev"
    assert list(name_rules.clashes([one])) == []


@pytest.mark.parametrize(
    ("infra", "expected"),
    [
        ("profile: fast\n", "infra.profile: 'fast' is not one of quick, secure"),
        ("storge: {}\n", "unknown key 'storge' in infra, did you mean 'storage'?"),
        ("storage: {shared_keys: maybe}\n", "infra.storage.shared_keys: true or false is expected, not 'maybe'"),
        ("key_vault: {soft_delete_days: 5}\n", "a whole number from 7 up to 90 is expected, not '5'"),
        ("key_vault: {soft_delete_days: 7.5}\n", "a whole number from 7 up to 90 is expected, not '7.5'"),
        ("budget: {amount: 0}\n", "infra.budget.amount: a number above 0 is expected, not '0'"),
        ("storage: {containers: data}\n", "infra.storage.containers: a list is expected, not 'data'"),
        ("storage: {containers: [Data]}\n", "infra.storage.containers.0: 'Data' does not have the form"),
        ("workspace: {private_endpoints: [storage]}\n", "infra.workspace.private_endpoints.0: 'storage' is not one of"),
        ("compute: {clusters: {cpu: {max_node: 4}}}\n", "unknown key 'max_node' in infra.compute.clusters.cpu"),
        ("budget: {start: 2026-01-15}\n", "'2026-01-15' does not have the form"),
    ],
)
def test_value_of_the_wrong_kind_is_refused_when_the_file_is_read(infra, expected, load):
    with pytest.raises(Exception, match="base.yaml:8:") as caught:
        load(HEAD + "infra:\n  " + infra)
    assert expected in str(caught.value)


def test_name_of_v1_is_laid_on_the_layer_below_as_its_name_of_v2_is(load):
    below = HEAD + "infra:\n  compute:\n    clusters:\n      cpu: {min_nodes: 1, max_nodes: 6}\n"
    environment = load(below, own="infra: {compute: {clusters: {cpu: {max_nodes: 3}}}}\n")
    cluster = settings.infrastructure(environment).compute.clusters["cpu"]
    assert (cluster.min_instances, cluster.max_instances) == (1, 3)
    assert [finding.severity for finding in rules.findings(environment)] == ["warning", "warning"]
