"""``mlops-kit compute`` on a local workspace."""

import os

import pytest

from mlops_kit.cli import running
from mlops_kit.local.ledger import Ran


@pytest.fixture(scope="module")
def instances(commands_workspace):
    """Two running compute instances."""
    from azure.ai.ml.entities import ComputeInstance

    ml = commands_workspace.ml_client()
    for name in ("desk-one", "desk-two"):
        ml.compute.begin_create_or_update(ComputeInstance(name=name, size="Standard_DS11_v2")).result()
    return "desk-one", "desk-two"


def test_list_has_type_state_and_size_of_each(kit, instances):
    rows = {row["name"]: row for row in kit("compute", "list", "-o", "json").json}

    assert rows["cpu-cluster"]["type"] == "amlcompute"
    assert rows["cpu-cluster"]["state"] == "Succeeded"
    assert rows["desk-one"]["type"] == "computeinstance"
    assert rows["desk-one"]["size"].lower() == "standard_ds11_v2"


def test_text_is_a_table_with_a_head(kit, instances):
    lines = kit("compute", "list").out.splitlines()

    assert lines[0].split() == ["name", "type", "state", "size", "minimum", "maximum", "minutes"]
    assert any(line.startswith("cpu-cluster  amlcompute") for line in lines)


def test_unknown_name_is_answered_with_the_nearest(kit, instances):
    ran = kit("compute", "show", "cpu-clster")

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.endswith("error: no compute named 'cpu-clster'; did you mean cpu-cluster?\n")


def test_stopped_instance_starts_again(kit, instances):
    [stopped] = kit("compute", "stop", "desk-one", "-o", "json").json
    [started] = kit("compute", "start", "desk-one", "-o", "json").json

    assert (stopped["state"], started["state"]) == ("Stopped", "Running")


def test_stop_all_stops_the_running_instances_and_no_cluster(kit, instances):
    first = kit("compute", "stop", "--all", "-o", "json").json
    second = kit("compute", "stop", "--all", "-o", "json").json
    kit("compute", "start", "--all")

    assert {row["name"] for row in first} == {"desk-one", "desk-two"}
    assert {row["state"] for row in first} == {"Stopped"}
    assert second == []


@pytest.fixture
def clock(kit, commands_workspace):
    """Move the clock of the control plane ahead; it is set right afterwards."""
    state = ("--state", str(commands_workspace.state))

    def ahead(span):
        assert kit("local", "clock", "advance", span, *state, "--no-wait").code == 0

    yield ahead
    kit("local", "clock", "reset", *state)


def test_minutes_of_a_stopped_instance_stand_still_in_list_show_and_status(kit, instances, commands_workspace, clock):
    price = {"MLOPS_KIT_VAR_local__hourly_prices": "{STANDARD_DS11_V2: 6}"}

    def ran():
        listed = {row["name"]: row for row in kit("compute", "list", "-o", "json", **price).json}
        return listed["desk-two"]["minutes"], listed["desk-two"]["cost"]

    before, _ = ran()
    clock("2h")
    minutes, cost = ran()
    assert 120 <= minutes - before < 122
    assert cost == round(minutes / 10, 2)

    kit("compute", "stop", "desk-two")
    minutes, cost = ran()
    clock("2h")
    assert ran() == (minutes, cost)
    assert kit("compute", "show", "desk-two", "-o", "json").json["minutes"] == minutes
    status = kit("local", "status", "--state", str(commands_workspace.state), "-o", "json", env="local").json
    (row,) = (one for one in status["ran"] if one["name"] == "desk-two")
    assert row == {
        "workspace": "mlw-commands",
        "name": "desk-two",
        "type": "computeinstance",
        "size": "Standard_DS11_v2",
        "minutes": minutes,
    }
    kit("compute", "start", "desk-two")


@pytest.mark.parametrize(
    ("prices", "cost"), [({}, None), ({"standard_ds11_v2": 0.2}, 0.3), ({"Standard_NC6s_v3": 4}, None)]
)
def test_cost_is_the_hourly_price_of_the_size_for_the_minutes(prices, cost):
    found = running.figures(Ran("mlw", "desk", "computeinstance", "Standard_DS11_v2", 90.0), prices)

    assert found == {"minutes": 90.0} | ({} if cost is None else {"cost": cost})


def test_usage_has_the_cores_of_this_machine_and_counts_the_clusters(kit):
    rows = {row["quota"]: row for row in kit("compute", "usage", "-o", "json").json}

    assert rows["Total Cluster Dedicated Regional vCPUs"]["limit"] == os.cpu_count()
    assert rows["Machine Learning Clusters"]["used"] >= 1
    assert kit("compute", "usage").out.splitlines()[0].split() == ["quota", "used", "limit"]


def test_cluster_cannot_be_stopped(kit, instances):
    ran = kit("compute", "stop", "cpu-cluster")

    assert ran.code == 2
    assert "of type amlcompute and cannot be stopped" in ran.err


@pytest.mark.parametrize("arguments", [["stop"], ["stop", "desk-one", "--all"], ["start"]])
def test_neither_name_nor_all_is_a_usage_error(kit, arguments):
    ran = kit("compute", *arguments)

    assert ran.code == 2
    assert "name one compute instance, or give --all" in ran.err


def test_show_yaml_is_the_document_of_the_sdk(kit):
    import yaml

    shown = yaml.safe_load(kit("compute", "show", "cpu-cluster", "-o", "yaml").out)

    assert shown["name"] == "cpu-cluster"
    assert shown["max_instances"] >= 1
    assert not {"minimum", "maximum"} & shown.keys()


@pytest.mark.parametrize(("name", "state"), [("cpu-cluster", "Succeeded"), ("desk-one", "Running")])
def test_show_spells_every_state_as_the_service_does(kit, instances, name, state):
    ran = kit("compute", "show", name)

    assert f"\nstate: {state}\n" in ran.out
    assert "\nprovisioning_state: Succeeded\n" in ran.out
    assert "State." not in ran.out
    assert "null" not in ran.out


CLUSTER = """\
$schema: https://azuremlschemas.azureedge.net/latest/amlCompute.schema.json
name: {name}
type: amlcompute
size: {size}
min_instances: 0
max_instances: 2
idle_time_before_scale_down: 300
tier: low_priority
tags: {{team: vision}}
"""


@pytest.fixture
def cluster(write):
    """Write the template of a cluster; the arguments fill its gaps."""

    def template(name, size="Standard_DS3_v2"):
        return write(f"computes/{name}.yml", CLUSTER.format(name=name, size=size))

    return template


def test_ensure_creates_what_is_missing_and_finds_it_the_second_time(kit, cluster):
    template = cluster("ensured")
    first, second = (kit("compute", "ensure", template, "-o", "json") for _ in range(2))

    assert (first.code, first.json) == (0, {"name": "ensured", "outcome": "created", "differences": {}})
    assert (second.code, second.json["outcome"]) == (0, "found")
    shown = kit("compute", "show", "ensured", "-o", "json").json
    expected = {"size": "Standard_DS3_v2", "max_instances": 2, "idle_time_before_scale_down": 300}
    assert {key: shown[key] for key in expected} == expected
    assert shown["tags"]["team"] == "vision"


def test_ensure_leaves_another_size_alone_and_says_so_with_a_code_of_its_own(kit, cluster):
    kit("compute", "ensure", cluster("sized"))
    ran = kit("compute", "ensure", cluster("sized", "Standard_DS11_v2"), "--set", "max_instances=3", "-o", "json")

    assert ran.code == 6
    assert ran.json["outcome"] == "different"
    assert ran.json["differences"] == {"size": ["Standard_DS3_v2", "Standard_DS11_v2"], "max_instances": [2, 3]}
    assert "the compute 'sized' differs from" in ran.err
    assert kit("compute", "show", "sized", "-o", "json").json["size"] == "Standard_DS3_v2"
    assert kit("compute", "show", "sized", "-o", "json").json["max_instances"] == 2


def test_ensure_prints_the_difference_of_another_type(kit, cluster, write):
    kit("compute", "ensure", cluster("typed"))
    ran = kit("compute", "ensure", write("computes/typed2.yml", "name: typed\ntype: computeinstance\n"))

    assert ran.code == 6
    assert ran.out == "typed  different\n  type: amlcompute -> computeinstance\n"


def test_ensure_makes_no_compute_that_the_infrastructure_makes(kit, cluster, commands_workspace):
    owned = ["--set", "env.infra.compute.clusters.Owned={size: Standard_DS3_v2}"]
    ran = kit("compute", "ensure", cluster("owned"), *owned)

    assert ran.code == 2
    assert "error: the infrastructure makes the compute 'owned': 'mlops-kit infra up " in ran.err
    assert ran.out == "owned  missing\n"
    assert "owned" not in {one.name for one in commands_workspace.ml_client().compute.list()}

    kit("compute", "ensure", cluster("owned"))
    assert kit("compute", "ensure", cluster("owned"), *owned).out == "owned  found\n"


def test_ensure_takes_no_other_kind_of_file_and_run_names_it(kit, write, cluster):
    job = kit("compute", "ensure", write("jobs/other.yml", "type: command\ncommand: 'true'\ncompute: azureml:cpu\n"))
    ran = kit("run", cluster("run"))

    assert (job.code, ran.code) == (2, 2)
    assert "'mlops-kit compute ensure' makes a compute" in ran.err


def test_ensure_never_shows_a_secret_and_does_not_compare_what_the_service_keeps(kit, write):
    text = "name: keyed\ntype: amlcompute\nsize: Standard_DS3_v2\nssh_settings:\n  admin_username: ops\n"
    template = write("computes/keyed.yml", text + "  admin_password: ${secret.NODE}\n")
    runs = [kit("compute", "ensure", template, MLOPS_KIT_SECRET_NODE="Wrong-h0rse!") for _ in range(2)]

    assert [ran.out for ran in runs] == ["keyed  created\n", "keyed  found\n"]
    assert "Wrong-h0rse" not in "".join(ran.out + ran.err for ran in runs)
