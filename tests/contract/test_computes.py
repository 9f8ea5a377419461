"""Computes through the real SDK: clusters, instances and their states, attached computes, sizes and quota."""

from __future__ import annotations

import os
import uuid

import pytest


def _name(prefix: str) -> str:
    return f"{prefix}-x{uuid.uuid4().hex[:7]}"


def test_instance_starts_with_one_cluster(ml):
    cluster = ml.compute.get("cpu-cluster")
    assert (cluster.type, cluster.provisioning_state) == ("amlcompute", "Succeeded")
    assert (cluster.min_instances, cluster.max_instances) == (0, 4)


def test_cluster_comes_back_as_it_was_asked_for(ml):
    from azure.ai.ml.entities import AmlCompute, IdentityConfiguration

    name = _name("cpu")
    wanted = AmlCompute(
        name=name,
        description="Trains",
        size="Standard_DS3_v2",
        min_instances=1,
        max_instances=4,
        idle_time_before_scale_down=300,
        tier="low_priority",
        tags={"team": "a"},
        identity=IdentityConfiguration(type="system_assigned"),
    )
    created = ml.compute.begin_create_or_update(wanted).result()
    found = ml.compute.get(name)
    assert (created.name, created.provisioning_state) == (name, "Succeeded")
    assert (found.size, found.tier, found.description) == ("Standard_DS3_v2", "low_priority", "Trains")
    assert (found.min_instances, found.max_instances, found.idle_time_before_scale_down) == (1, 4, 300)
    assert (found.tags, found.location) == ({"team": "a"}, "local")
    assert uuid.UUID(found.identity.principal_id)
    assert found.created_on


def test_idle_nodes_of_a_cluster_are_its_minimum(ml):
    from azure.ai.ml.entities import AmlCompute

    name = _name("idle")
    ml.compute.begin_create_or_update(AmlCompute(name=name, min_instances=2, max_instances=3)).result()
    states = [node.__dict__["nodeState"] for node in ml.compute.list_nodes(name)]
    assert states == ["idle", "idle"]
    raw = ml.compute._operation.get(ml.resource_group_name, ml.workspace_name, name).properties.properties
    assert (raw.current_node_count, raw.target_node_count, raw.node_state_counts.idle_node_count) == (2, 2, 2)
    assert raw.allocation_state == "Steady"


def test_cluster_is_scaled_by_an_update(ml):
    from azure.ai.ml.entities import AmlCompute

    name = _name("scale")
    ml.compute.begin_create_or_update(AmlCompute(name=name, max_instances=1)).result()
    cluster = ml.compute.get(name)
    cluster.max_instances, cluster.idle_time_before_scale_down = 6, 60
    ml.compute.begin_update(cluster).result()
    found = ml.compute.get(name)
    assert (found.max_instances, found.idle_time_before_scale_down) == (6, 60)


def test_size_of_a_cluster_cannot_change(ml):
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import HttpResponseError

    name = _name("fixed")
    ml.compute.begin_create_or_update(AmlCompute(name=name, size="Standard_DS3_v2")).result()
    with pytest.raises(HttpResponseError, match="is Standard_DS3_v2 and cannot become Standard_DS4_v2"):
        ml.compute.begin_create_or_update(AmlCompute(name=name, size="Standard_DS4_v2"))
    assert ml.compute.get(name).size == "Standard_DS3_v2"


def test_scaling_a_cluster_without_naming_its_size_keeps_it(ml):
    from azure.ai.ml.entities import AmlCompute

    name = _name("scaled")
    ml.compute.begin_create_or_update(AmlCompute(name=name, size="Standard_DS11_v2", max_instances=1)).result()
    ml.compute.begin_create_or_update(AmlCompute(name=name, max_instances=3)).result()
    found = ml.compute.get(name)
    assert (found.size, found.max_instances) == ("Standard_DS11_v2", 3)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"name": "9lives"}, "begin with a letter"),
        ({"name": "a" * 33}, "use 2 to 32 letters"),
        ({"name": "under_score"}, "letters, digits and hyphens"),
        ({"size": "DS3"}, "'DS3' is not a virtual machine size"),
        ({"max_instances": 500}, r"asks for 500 nodes, but the quota of this host \(\d+ cores\) is 100 nodes"),
        ({"min_instances": 5, "max_instances": 2}, "at least 5 and at most 2 nodes"),
    ],
)
def test_unfit_cluster_is_refused_with_the_rule(ml, settings, told):
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=told):
        ml.compute.begin_create_or_update(AmlCompute(**{"name": _name("bad"), **settings}))


def test_instance_stops_and_starts(ml):
    from azure.ai.ml.entities import ComputeInstance

    name = _name("ci")
    created = ml.compute.begin_create_or_update(ComputeInstance(name=name, size="Standard_DS11_v2")).result()
    assert (created.state, created.size, created.type) == ("Running", "Standard_DS11_v2", "computeinstance")
    ml.compute.begin_stop(name).result()
    stopped = ml.compute.get(name)
    assert stopped.state == "Stopped"
    last = stopped.last_operation
    assert (last["operationName"], last["operationStatus"]) == ("Stop", "Succeeded")
    ml.compute.begin_start(name).result()
    assert ml.compute.get(name).state == "Running"
    ml.compute.begin_restart(name).result()
    assert ml.compute.get(name).last_operation["operationName"] == "Restart"


def test_instance_keeps_its_settings(ml):
    from azure.ai.ml.entities import (
        AssignedUserConfiguration,
        ComputeInstance,
        ComputeInstanceSshSettings,
        ComputeSchedules,
        ComputeStartStopSchedule,
        CronTrigger,
    )

    name = _name("ci")
    nightly = ComputeStartStopSchedule(action="stop", trigger=CronTrigger(expression="0 19 * * *", time_zone="UTC"))
    wanted = ComputeInstance(
        name=name,
        size="Standard_DS11_v2",
        description="Ada's",
        idle_time_before_shutdown_minutes=30,
        ssh_public_access_enabled=True,
        ssh_settings=ComputeInstanceSshSettings(ssh_key_value="ssh-rsa AAAA"),
        create_on_behalf_of=AssignedUserConfiguration(user_tenant_id="t", user_object_id="o"),
        schedules=ComputeSchedules(compute_start_stop=[nightly]),
    )
    ml.compute.begin_create_or_update(wanted).result()
    found = ml.compute.get(name)
    assert found.description == "Ada's"
    assert found.idle_time_before_shutdown == "PT30M"
    assert found.ssh_settings.ssh_key_value == "ssh-rsa AAAA"
    assert (found.create_on_behalf_of.user_tenant_id, found.create_on_behalf_of.user_object_id) == ("t", "o")
    schedule = found.schedules.compute_start_stop[0]
    assert (schedule.action, schedule.trigger.expression) == ("stop", "0 19 * * *")
    assert schedule.provisioning_state == "Completed"


def test_stopped_instance_cannot_restart_and_a_cluster_cannot_stop(ml):
    from azure.ai.ml.entities import ComputeInstance
    from azure.core.exceptions import HttpResponseError

    name = _name("ci")
    ml.compute.begin_create_or_update(ComputeInstance(name=name)).result()
    ml.compute.begin_stop(name).result()
    with pytest.raises(HttpResponseError, match="is stopped; start it instead"):
        ml.compute.begin_restart(name)
    with pytest.raises(HttpResponseError, match="is of type AmlCompute; only an instance can stop"):
        ml.compute.begin_stop("cpu-cluster")


def test_kubernetes_cluster_is_attached_and_detached(ml):
    from azure.ai.ml.entities import KubernetesCompute
    from azure.core.exceptions import ResourceNotFoundError

    name = _name("k8s")
    arc = f"/subscriptions/{ml.subscription_id}/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/c"
    ml.compute.begin_attach(KubernetesCompute(name=name, resource_id=arc, namespace="train")).result()
    found = ml.compute.get(name)
    assert (found.type, found.resource_id, found.namespace) == ("kubernetes", arc, "train")
    ml.compute.begin_delete(name, action="Detach").result()
    with pytest.raises(ResourceNotFoundError, match=name):
        ml.compute.get(name)


def test_virtual_machine_is_attached_without_showing_its_password(ml):
    from azure.ai.ml.entities import VirtualMachineCompute, VirtualMachineSshSettings

    name = _name("vm")
    machine = f"/subscriptions/{ml.subscription_id}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
    ssh = VirtualMachineSshSettings(admin_username="ada", admin_password="do-not-show", ssh_port=2222)
    ml.compute.begin_create_or_update(VirtualMachineCompute(name=name, resource_id=machine, ssh_settings=ssh)).result()
    found = ml.compute.get(name)
    assert (found.type, found.resource_id) == ("virtualmachine", machine)
    assert (found.ssh_settings.admin_username, found.ssh_settings.ssh_port) == ("ada", 2222)
    assert not found.ssh_settings.admin_password
    keys = ml.compute._operation.list_keys(ml.resource_group_name, ml.workspace_name, name)
    assert keys.administrator_account.password == "do-not-show"


def test_cluster_cannot_be_detached(ml):
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="was not attached; delete it instead"):
        ml.compute.begin_delete("cpu-cluster", action="Detach")


def test_databricks_is_refused_with_a_pointer(ml):
    from azure.core.exceptions import HttpResponseError

    body = {"location": "local", "properties": {"computeType": "Databricks", "resourceId": "/x", "properties": {}}}
    with pytest.raises(HttpResponseError, match="no Databricks compute") as refused:
        ml.compute._operation.begin_create_or_update(ml.resource_group_name, ml.workspace_name, "dbx", body)
    assert refused.value.status_code == 501


def test_computes_are_listed_and_filtered_by_type(ml):
    from azure.ai.ml.entities import ComputeInstance

    name = _name("ci")
    ml.compute.begin_create_or_update(ComputeInstance(name=name)).result()
    assert {"cpu-cluster", name} <= {one.name for one in ml.compute.list()}
    instances = {one.name for one in ml.compute.list(compute_type="ComputeInstance")}
    assert name in instances
    assert "cpu-cluster" not in instances


def test_deleted_compute_is_gone_and_an_unknown_one_names_the_nearest(ml):
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import ResourceNotFoundError

    name = _name("gone")
    ml.compute.begin_create_or_update(AmlCompute(name=name)).result()
    ml.compute.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        ml.compute.get(name)
    with pytest.raises(ResourceNotFoundError, match="Did you mean 'cpu-cluster'"):
        ml.compute.get("cpu-clustr")


def test_quota_is_the_cores_of_this_host(ml):
    usages = {one.name["value"]: one.__dict__ for one in ml.compute.list_usage()}
    dedicated = usages["Total Cluster Dedicated Regional vCPUs"]
    assert (dedicated["limit"], dedicated["currentValue"]) == (os.cpu_count(), 0)
    assert usages["Machine Learning Clusters"]["currentValue"] >= 1


def test_a_run_that_a_client_tracks_takes_no_cores(ml):
    import mlflow

    mlflow.set_tracking_uri(ml.workspaces.get(ml.workspace_name).mlflow_tracking_uri)
    with mlflow.start_run():
        usages = {one.name["value"]: one.__dict__ for one in ml.compute.list_usage()}
    assert usages["Total Cluster Dedicated Regional vCPUs"]["currentValue"] == 0


def test_sizes_name_their_cores(ml):
    sizes = {one.name: one.__dict__ for one in ml.compute.list_sizes()}
    assert (sizes["Standard_DS3_v2"]["vCPUs"], sizes["Standard_DS3_v2"]["memoryGB"]) == (4, 14)
    assert sizes["Standard_NC6s_v3"]["gpus"] == 1
