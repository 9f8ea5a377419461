"""``mlops-kit compute`` on a local workspace."""

import pytest


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

    assert lines[0].split() == ["name", "type", "state", "size", "minimum", "maximum"]
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
