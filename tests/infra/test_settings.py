"""What an environment's infrastructure is: profiles, what is derived, and the plain data that engines get."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import FrozenInstanceError, fields

import pytest

from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import profiles, settings
from mlops_kit.infra.contract import Infrastructure

USER = "99999999-0000-0000-0000-000000000001"


@pytest.fixture
def values(load, base):
    """Return a function: the data of an environment whose infra section is given."""

    def values_of(infra=None, name="dev", **top):
        environment = load({**base, **top, "infra": infra or {}}, name)
        return settings.values(settings.infrastructure(environment))

    return values_of


def data_of(environment):
    return settings.values(settings.infrastructure(environment))


# the shape of the data


def test_data_is_plain_json_with_one_key_per_module(shipped):
    for name in ("local", "dev", "test", "prod"):
        data = data_of(shipped(name))
        assert json.loads(json.dumps(data)) == data
        assert list(data) == [each.name for each in fields(Infrastructure)]


def test_data_is_the_same_each_time_and_infrastructure_is_frozen(shipped):
    one, other = (settings.infrastructure(shipped("prod")) for _ in range(2))
    assert one == other
    assert settings.values(one) == settings.values(other)
    with pytest.raises(FrozenInstanceError):
        one.storage = other.storage  # type: ignore[misc]


def test_what_is_not_wanted_is_null(shipped):
    data = data_of(shipped("dev"))
    assert [key for key, part in data.items() if part is None] == ["kubernetes", "registry", "data_trigger", "budget"]


def test_environment_without_the_section_has_no_infrastructure(load, base):
    for section in ({}, {"infra": None}):
        environment = load({**{key: base[key] for key in base if key != "infra"}, **section})
        with pytest.raises(EnvironmentFileError, match="environment 'dev' has no infrastructure"):
            settings.infrastructure(environment)


def test_finding_is_raised_at_its_line(load, base):
    base["infra"] = {"compute": {"clusters": {"cpu-1": {}}}}
    with pytest.raises(EnvironmentFileError, match=r"^shop/environments/base\.yaml:1:\d+: .*`cpu-1` in dev; allowed"):
        settings.infrastructure(load(base))


# profiles


def test_profiles_differ_in_nothing_but_the_values_they_list(values):
    """``infra.profile`` is no switch of its own: giving the values of ``secure`` by hand gives the same data."""
    assert values({"profile": "secure"}) == values(dict(profiles.PROFILES["secure"]))


def test_single_key_overrides_the_profile(values):
    secure, loosened = values({"profile": "secure"}), values({"profile": "secure", "storage": {"shared_keys": True}})
    assert (secure["storage"]["shared_keys"], loosened["storage"]["shared_keys"]) == (False, True)
    assert loosened["storage"] == {**secure["storage"], "shared_keys": True}
    assert loosened["workspace"] == {**secure["workspace"], "datastore_auth": "accessKey"}


def test_item_of_a_profile_is_changed_by_key_and_removed_by_null(values):
    alerts = {"failed-runs": {"threshold": 5}, "unusable-nodes": None, "busy": {"metric": "Active Nodes"}}
    found = values({"profile": "secure", "observability": {"alerts": alerts}})["observability"]["alerts"]
    assert {name: (one["metric"], one["threshold"]) for name, one in found.items()} == {
        "failed-runs": ("Failed Runs", 5),
        "busy": ("Active Nodes", 0),
    }


def test_only_protected_environments_are_locked_and_cannot_be_purged(shipped):
    for name, is_protected in (("dev", False), ("test", False), ("prod", True)):
        data = data_of(shipped(name))
        assert data["key_vault"]["purge_protection"] is is_protected
        assert (data["resource_group"]["delete_lock"] is not None) is is_protected


# L2-14: network; L2-15: key; R23: no keys; R45: private registry


def test_prod_is_reached_through_one_private_endpoint_and_dev_through_none(shipped):
    prod, dev = (data_of(shipped(name))["workspace"]["network"] for name in ("prod", "dev"))
    assert (prod["public_network_access"], dev["public_network_access"]) == ("Disabled", "Enabled")
    assert list(prod["private_endpoints"]) == ["workspace"]
    assert list(prod["dns_zones"]) == ["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"]
    assert (dev["private_endpoints"], dev["dns_zones"], dev["virtual_network"]) == ({}, {}, None)


def test_byo_vnet_puts_compute_in_its_subnet_and_endpoints_on_everything(values):
    data = values({"profile": "secure", "workspace": {"network": "byo_vnet"}, "compute": {"clusters": {"cpu": {}}}})
    network = data["workspace"]["network"]
    assert {cluster["subnet"] for cluster in data["compute"]["clusters"].values()} == {"compute"}
    assert {one["target"] for one in network["private_endpoints"].values()} == {
        "workspace",
        "storage",
        "key_vault",
        "container_registry",
    }
    assert network["isolation_mode"] == "Disabled"
    assert data["storage"]["firewall"]["subnets"] == list(network["subnets"]) == ["endpoints", "compute"]
    assert data["workspace"]["serverless"] == {"subnet": "compute", "no_public_ip": True}


def test_existing_subnets_and_zones_are_used_and_none_are_created(values):
    home = "/subscriptions/s/resourceGroups/hub"
    vnet = f"{home}/providers/Microsoft.Network/virtualNetworks/vnet"
    given = {"endpoints_subnet_id": f"{vnet}/subnets/pe"}
    part = {"network": "managed", "virtual_network": given, "dns_zones_in": home}
    network = values({"profile": "secure", "workspace": part})["workspace"]["network"]
    assert (network["virtual_network"], network["virtual_network_id"]) == (None, vnet)
    assert network["subnets"]["endpoints"]["id"] == given["endpoints_subnet_id"]
    assert network["dns_zones"]["privatelink.api.azureml.ms"] == {
        "id": f"{home}/providers/Microsoft.Network/privateDnsZones/privatelink.api.azureml.ms",
        "link": None,
    }


def test_r45_private_registry_is_premium_and_gets_a_cluster_that_builds_images(shipped):
    prod, dev = data_of(shipped("prod")), data_of(shipped("dev"))
    assert (prod["container_registry"]["sku"], dev["container_registry"]["sku"]) == ("Premium", "Basic")
    assert prod["workspace"]["image_build_compute"] in prod["compute"]["clusters"]
    assert dev["workspace"]["image_build_compute"] is None


def test_cluster_that_builds_images_takes_what_its_entry_says(values):
    clusters = {"image-build": {"max_instances": 3}}
    data = values({"profile": "secure", "compute": {"clusters": clusters}})
    assert data["compute"]["clusters"]["image-build"]["max_instances"] == 3


def test_secure_storage_has_no_keys_and_identities_that_reach_it(shipped):
    data = data_of(shipped("prod"))
    assert data["storage"]["shared_keys"] is False
    assert data["workspace"]["datastore_auth"] == "identity"
    reach = {
        one["identity"]
        for one in data["identity_and_access"]["role_assignments"].values()
        if (one["scope"], one["role"]) == ("storage", "Storage Blob Data Contributor")
    }
    assert {"workspace", "compute"} <= reach


def test_container_registry_can_be_left_to_azure(values):
    data = values({"container_registry": None})
    assert data["container_registry"] is None
    scopes = {one["scope"] for one in data["identity_and_access"]["role_assignments"].values()}
    assert "container_registry" not in scopes


def test_customer_managed_key_is_there_only_when_given(values):
    key = {"vault_id": "/subscriptions/s/resourceGroups/g", "key_id": f"https://v.vault.azure.net/keys/k/{'a' * 32}"}
    assert values()["workspace"]["customer_managed_key"] is None
    assert values({"workspace": {"customer_managed_key": key}})["workspace"]["customer_managed_key"] == key


# L2-08, L2-09, R42, R46: who may do what


def allows(role, action):
    """Decide as Azure does: an action pattern fits and no not-action pattern does, without case."""

    def fits(patterns):
        forms = (re.escape(pattern).replace(r"\*", ".*") for pattern in patterns)
        return any(re.fullmatch(form, action, re.IGNORECASE) for form in forms)

    return fits(role["actions"]) and not fits(role["not_actions"])


@pytest.mark.parametrize(
    ("action", "it_ops", "data_scientist"),
    [
        ("computes/write", True, False),
        ("computes/delete", True, False),
        ("computes/start/action", True, True),
        ("datastores/write", True, False),
        ("datastores/delete", True, False),
        ("datastores/read", True, True),
        ("jobs/write", False, True),
        ("experiments/runs/submit/action", False, True),
        ("models/versions/write", False, True),
        ("models/versions/read", False, True),
        ("write", False, False),
        ("delete", False, False),
        ("listKeys/action", False, False),
        ("read", True, True),
    ],
)
def test_custom_roles_split_work_as_the_course_does(action, it_ops, data_scientist, values):
    roles = values()["identity_and_access"]["custom_roles"]
    full = f"Microsoft.MachineLearningServices/workspaces/{action}"
    assert (allows(roles["it_ops"], full), allows(roles["data_scientist"], full)) == (it_ops, data_scientist)


def test_role_assignment_has_a_stable_name_and_the_type_of_its_principal(values):
    given = {"team": {"role": "data_scientist", "principal_id": USER}}
    data = values({"identity_and_access": {"role_assignments": given}})
    found = data["identity_and_access"]["role_assignments"]
    assert all(one["principal_type"] for one in found.values())
    assert all(uuid.UUID(one["name"]).version == 5 for one in found.values())
    assert len({one["name"] for one in found.values()}) == len(found)
    again = values({"identity_and_access": {"role_assignments": {"other-label": given["team"]}}})
    assert found["team"] == again["identity_and_access"]["role_assignments"]["other-label"]
    assert found["team"]["custom_role"] == "data_scientist"
    role = data["identity_and_access"]["custom_roles"]["data_scientist"]
    assert found["team"]["role_definition_id"] == role["id"]


def test_vault_without_roles_has_policies_for_those_whom_roles_would_give_access(values):
    guid, other = "22222222-3333-4444-5555-666666666666", "33333333-3333-4444-5555-666666666666"
    assignments = {
        "team": {"role": "Key Vault Secrets User", "scope": "key_vault", "principal_id": guid},
        "ops": {"role": "00482a5a-887f-4fb3-b363-3b7fe8e74483", "scope": "resource_group", "principal_id": other},
        "more": {"role": "Key Vault Secrets User", "scope": "key_vault", "principal_id": other},
        "readers": {"role": "Reader", "scope": "key_vault", "principal_id": "44444444-3333-4444-5555-666666666666"},
    }
    infra = {"key_vault": {"rbac": False}, "identity_and_access": {"role_assignments": assignments}}
    policies = values(infra)["key_vault"]["access_policies"]
    secrets: dict[str, list[str]] = {"keys": [], "certificates": []}
    everything = {"keys": ["all"], "certificates": ["all"]}
    assert policies == {
        guid: {"identity": None, "principal_id": guid, "secrets": ["get", "list"], **secrets},
        other: {"identity": None, "principal_id": other, "secrets": ["all"], **everything},
        "compute": {"identity": "compute", "principal_id": None, "secrets": ["get", "list"], **secrets},
        "workspace": {"identity": "workspace", "principal_id": None, "secrets": ["all"], **everything},
    }
    assert values({**infra, "key_vault": {}})["key_vault"]["access_policies"] == {}


def test_role_assignment_of_another_scope_has_another_name(values):
    def name(**more):
        one = {"role": "Reader", "principal_id": USER, **more}
        data = values({"identity_and_access": {"role_assignments": {"one": one}}})
        return data["identity_and_access"]["role_assignments"]["one"]["name"]

    names = {name(), name(scope="storage"), name(role="Contributor"), name(principal_id=USER.replace("1", "2"))}
    assert len(names) == 4


@pytest.mark.parametrize("name", ["dev", "test", "prod"])
def test_federated_credentials_name_environment_and_pull_request_case_exact(name, values):
    github = {"repository": "Acme-Org/Fc-App", "pull_requests": True}
    data = values({"identity_and_access": {"github": github}}, name)["identity_and_access"]
    assert {key: one["subject"] for key, one in data["federated_credentials"].items()} == {
        "environment": f"repo:Acme-Org/Fc-App:environment:{name}",
        "pull_request": "repo:Acme-Org/Fc-App:pull_request",
    }
    assert {one["identity"] for one in data["federated_credentials"].values()} == {"deployment"}
    assert "deployment" in data["identities"]


# L14-02, L14-07, L6-25, L7-15, L2-17..L2-23


def test_given_application_insights_is_used_and_none_is_created(values):
    given = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/appi"
    made = values()["observability"]["application_insights"]
    used = values({"observability": {"application_insights_id": given}})["observability"]["application_insights"]
    assert (made, used) == ({"name": "appi-shop-dev", "id": None}, {"name": None, "id": given})


def test_console_traffic_and_events_of_endpoints_are_logged(shipped):
    for name in ("local", "dev", "test", "prod"):
        assert data_of(shipped(name))["observability"]["diagnostic_categories"] == [
            "AmlOnlineEndpointConsoleLog",
            "AmlOnlineEndpointTrafficLog",
            "AmlOnlineEndpointEventLog",
        ]


def test_action_group_is_there_when_somebody_is_told(values):
    assert values()["observability"]["action_group"] is None
    group = values({"observability": {"emails": ["a@example.com", "b@example.com"]}})["observability"]["action_group"]
    assert group["emails"] == {"email-1": "a@example.com", "email-2": "b@example.com"}
    assert len(group["short_name"]) <= 12


def test_window_of_an_alert_is_written_as_azure_spells_it(values):
    def window(minutes):
        alerts = {"busy": {"metric": "Active Nodes", "window_minutes": minutes}}
        one = values({"observability": {"alerts": alerts}})["observability"]["alerts"]["busy"]
        return one["window"], one["frequency"]

    assert [window(minutes) for minutes in (1, 15, 60, 360, 1440)] == [
        ("PT1M", "PT1M"),
        ("PT15M", "PT15M"),
        ("PT1H", "PT1H"),
        ("PT6H", "PT1H"),
        ("P1D", "PT1H"),
    ]


def test_trigger_watches_a_folder_and_tells_a_queue(values):
    trigger = {"container": "data", "prefix": "training/", "pipeline": "train"}
    part = {"storage": {"containers": ["data"]}, "data_trigger": {"triggers": {"new-data": trigger}}}
    data = values(part)
    one = data["data_trigger"]["triggers"]["new-data"]
    assert one["subject_begins_with"] == "/blobServices/default/containers/data/blobs/training/"
    assert (one["queue"], one["webhook_url"]) == ("trigger-new-data", None)
    assert data["data_trigger"]["identity"] in data["identity_and_access"]["identities"]
    told = {"webhook_url": "https://example.com/hook"}
    one = values({**part, "data_trigger": {"triggers": {"new-data": {**trigger, **told}}}})["data_trigger"]["triggers"]
    assert (one["new-data"]["queue"], one["new-data"]["webhook_url"]) == (None, told["webhook_url"])


def test_kubernetes_is_made_with_extension_and_attached(values):
    part = values({"kubernetes": {}})["kubernetes"]
    assert (part["cluster"]["name"], part["cluster_id"]) == ("aks-shop-dev", None)
    assert part["cluster"]["node_pools"]["system"]["mode"] == "System"
    assert part["extension"]["settings"]["enableTraining"] == "true"
    assert (part["compute_name"], part["namespace"]) == ("kubernetes", "default")
    existing = values({"kubernetes": {"cluster_id": "/subscriptions/s/resourceGroups/g/x"}})["kubernetes"]
    assert (existing["cluster"], existing["cluster_id"]) == (None, "/subscriptions/s/resourceGroups/g/x")


def test_instance_is_stopped_when_idle_and_at_times(values):
    one = {"start": "0 7 * * 1-5", "stop": "0 19 * * 1-5", "time_zone": "W. Europe Standard Time"}
    instances = {"ana": {**one, "setup_script": {"text": "echo hi\n", "arguments": "-x"}}, "ben": {}}
    found = values({"compute": {"instances": instances}})["compute"]["instances"]
    assert found["ana"]["schedules"] == [
        {"action": "Start", "cron": "0 7 * * 1-5", "time_zone": "W. Europe Standard Time"},
        {"action": "Stop", "cron": "0 19 * * 1-5", "time_zone": "W. Europe Standard Time"},
    ]
    assert found["ana"]["creation_script"] == {"data": "ZWNobyBoaQo=", "arguments": "-x", "timeout": "15m"}
    assert found["ben"]["idle_time_before_shutdown"] == "PT30M"
    assert found["ben"]["schedules"] == []


def test_value_that_is_written_as_a_number_stays_text_where_text_is_needed(load, base):
    text = json.dumps({**base, "infra": {"suffix": "S", "kubernetes": {"version": "V"}}})
    environment = load(text.replace('"S"', "007").replace('"V"', "1.30"))
    data = data_of(environment)
    assert data["storage"]["name"].endswith("dev007")
    assert data["kubernetes"]["cluster"]["version"] == "1.30"


def test_region_is_spelt_as_azure_spells_it(values):
    data = values({"registry": {"locations": ["North Europe"]}, "allowed_locations": ["westeurope", "northeurope"]})
    assert data["registry"]["locations"] == ["westeurope", "northeurope"]
    assert values(location="West Europe")["resource_group"]["location"] == "westeurope"


def test_secret_is_refused_because_the_data_is_readable(load, base):
    base["infra"] = {"workspace": {"description": "${secret.KEY}"}}
    with pytest.raises(EnvironmentFileError, match=r"infra\.workspace\.description: .* cannot hold a secret"):
        settings.infrastructure(load(base))


def test_expression_is_evaluated(values):
    data = values({"storage": {"containers": ["${env.name}-data"]}, "workspace": {"friendly_name": "ML ${env.name}"}})
    assert data["storage"]["containers"] == ["dev-data"]
    assert data["workspace"]["friendly_name"] == "ML dev"
