"""Computes, and the machines that a job asks for (lessons 2 and 5)."""

import io

import pytest

CLUSTER = "type: amlcompute\nname: cpu-cluster\nsize: Standard_DS11_v2\n"
INSTANCE = "type: computeinstance\nname: anna-ci\nsize: Standard_DS11_v2\n"
PROVIDERS = "/subscriptions/a/resourceGroups/b/providers"
JOB = "command: echo\nenvironment: azureml:sklearn@latest\n"


def _in(folder, text, **how):
    return folder.found(text, "computes/one.yml", **how)


@pytest.mark.parametrize("text", [CLUSTER + "min_instances: 4\nmax_instances: 4\ntier: dedicated\n", INSTANCE])
def test_l2_17_l5_24_the_usual_computes_pass_and_load(folder, text):
    from azure.ai.ml import load_compute

    assert _in(folder, text) == []
    assert load_compute(io.StringIO(text)).size == "Standard_DS11_v2"


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ("min_instances: 4\nmax_instances: 2\n", "4:16: error[MK1008]: `min_instances` is 4 and `max_instances` is 2"),
        ("min_instances: 5\n", "4:16: error[MK1008]: `min_instances` is 5 and `max_instances` is left out and so 4"),
        ("min_instances: -1\n", "4:16: error[MK1007]: `min_instances` is -1; the least is 0"),
        ("idle_time_before_scale_down: -1\n", "4:30: error[MK1007]: `idle_time_before_scale_down` is -1"),
    ],
)
def test_l5_25_nodes_are_within_their_bounds(folder, numbers, message):
    (found,) = _in(folder, CLUSTER + numbers)
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("old", "new"), [("min_nodes", "min_instances"), ("max_nodes", "max_instances"), ("vm_size", "size")]
)
def test_l5_25_a_name_of_v1_is_told_its_name_of_v2(folder, old, new):
    """An environment file takes them with a warning; a template is sent as it is, and the SDK refuses them."""
    (found,) = _in(folder, f"type: amlcompute\nname: cpu-cluster\n{old}: 1\n")
    assert found == f"3:1: error[MK0102]: unknown key `{old}`; it is called `{new}` since v2"


def test_l5_24_a_size_is_one_of_virtual_machines(folder):
    (found,) = _in(folder, CLUSTER.replace("Standard_DS11_v2", "DS11"))
    assert found.startswith("3:7: error[MK1013]: `size` is `DS11`, no size of virtual machines")


def test_l5_26_low_priority_in_a_protected_environment_is_warned_of(folder):
    text = CLUSTER + "tier: low_priority\n"
    assert _in(folder, text) == []
    (found,) = _in(folder, text, protected=True)
    assert "warning[MK1029]" in found


def test_l2_19_ssh_needs_a_key_and_is_refused_where_the_environment_is_protected(folder):
    text = INSTANCE + "ssh_public_access_enabled: true\n"
    (found,) = _in(folder, text)
    assert found.startswith("4:28: error[MK1022]: SSH is enabled, and there is no key for it")
    with_key = text + "ssh_settings: {ssh_key_value: ssh-ed25519 AAAA anna}\n"
    assert _in(folder, with_key) == []
    (found,) = _in(folder, with_key, protected=True)
    assert found.startswith("4:28: error[MK1029]: SSH is open to the internet, and the environment is protected")


def test_l2_19_a_key_is_a_public_key(folder):
    (found,) = _in(folder, INSTANCE + "ssh_settings: {ssh_key_value: ~/.ssh/id_rsa.pub}\n")
    assert "error[MK1022]: `ssh_key_value` is no public key" in found


def test_a_cluster_that_nobody_can_sign_in_to_is_warned_of(folder):
    text = CLUSTER + "ssh_public_access_enabled: true\n"
    (found,) = _in(folder, text)
    assert "warning[MK1022]: SSH is enabled, and nobody can sign in" in found
    assert _in(folder, text + "ssh_settings: {admin_username: a, ssh_key_value: ssh-rsa AAAA a}\n") == []


def test_l2_20_a_subnet_is_named_with_its_network(folder):
    (found,) = _in(folder, INSTANCE + "network_settings: {subnet: training}\n")
    assert found.startswith("4:28: error[MK1023]: the subnet `training` is named without its network")
    (found,) = _in(folder, INSTANCE + "network_settings: {vnet_name: vnet-ml}\n")
    assert "error[MK1023]: a network is named without a subnet of it" in found
    assert _in(folder, INSTANCE + "network_settings: {vnet_name: vnet-ml, subnet: training}\n") == []
    subnet = f"{PROVIDERS}/Microsoft.Network/virtualNetworks/c/subnets/d"
    assert _in(folder, f"{INSTANCE}network_settings: {{subnet: {subnet}}}\n") == []


def test_l2_20_a_network_outside_of_its_settings_is_sent_there(folder):
    (found,) = _in(folder, INSTANCE + "subnet: training\n")
    assert "error[MK0109]: misplaced key `subnet`; it belongs under `network_settings`" in found


def test_l2_21_the_owner_of_an_instance_is_two_guids(folder):
    guid = "11111111-2222-3333-4444-555555555555"
    both = f"create_on_behalf_of: {{user_tenant_id: {guid}, user_object_id: {guid}}}\n"
    assert _in(folder, INSTANCE + both) == []
    (found,) = _in(folder, INSTANCE + both.replace(guid, "anna", 1))
    assert "error[MK1021]: `user_tenant_id` is `anna`, no GUID" in found
    (found,) = _in(folder, INSTANCE + f"create_on_behalf_of: {{user_tenant_id: {guid}}}\n")
    assert "error[MK0104]: required key `user_object_id` is missing in `create_on_behalf_of`" in found


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("idle_time_before_shutdown_minutes: 5", "MK1007"),
        ("idle_time_before_shutdown_minutes: 5000", "MK1007"),
        ("idle_time_before_shutdown: 30 minutes", "MK1025"),
        ("idle_time_before_shutdown: PT", "MK1025"),
    ],
)
def test_l2_23_an_idle_time_is_a_duration_within_its_bounds(folder, line, code):
    (found,) = _in(folder, f"{INSTANCE}{line}\n")
    assert f"error[{code}]" in found


@pytest.mark.parametrize("line", ["idle_time_before_shutdown_minutes: 30", "idle_time_before_shutdown: PT1H30M"])
def test_l2_23_an_idle_time_of_the_usual_form_passes(folder, line):
    assert _in(folder, f"{INSTANCE}{line}\n") == []


@pytest.mark.parametrize(
    ("kind", "resource", "other"),
    [
        ("virtualmachine", "Microsoft.Compute/virtualMachines/c", "Microsoft.Compute/disks/c"),
        ("synapsespark", "Microsoft.Synapse/workspaces/c/bigDataPools/d", "Microsoft.Synapse/workspaces/c"),
        ("kubernetes", "Microsoft.ContainerService/managedClusters/c", "Microsoft.Compute/virtualMachines/c"),
        ("kubernetes", "Microsoft.Kubernetes/connectedClusters/c", "Microsoft.Kubernetes/clusters/c"),
    ],
)
def test_l5_17_l5_19_l5_20_only_a_resource_of_its_kind_is_attached(folder, kind, resource, other):
    text = (
        f"type: {kind}\nname: attached\n{'namespace: default' if kind == 'kubernetes' else 'tags: {}'}\nresource_id: "
    )
    assert _in(folder, f"{text}{PROVIDERS}/{resource}\n") == []
    for wrong in (f"{PROVIDERS}/{other}", "my-cluster", f"{PROVIDERS}/{resource}/more"):
        (found,) = _in(folder, f"{text}{wrong}\n")
        assert found.startswith("4:14: error[MK1021]: `resource_id` is `")


def test_l5_20_a_namespace_is_one_of_kubernetes(folder):
    (found,) = _in(folder, "type: kubernetes\nname: aks\nnamespace: My_Space\n")
    assert "error[MK0201]: `namespace` is `My_Space`" in found


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("databricks", "use a job of type `spark`"),
        ("inferencecluster", "attach the cluster as `kubernetes`"),
        ("aks", "attach the cluster as `kubernetes`"),
        ("hdinsight", "use `synapsespark`, or a job of type `spark`"),
    ],
)
def test_l2_16_l5_18_l5_20_what_v2_has_no_more_is_refused_with_a_pointer(folder, kind, told):
    (found,) = _in(folder, f"type: {kind}\nname: old-one\n")
    assert found.startswith(f"1:7: error[MK0106]: `{kind}` is not a value of `type`")
    assert told in found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("resources: {instance_count: 0}", "error[MK1007]: `instance_count` is 0; the least is 1"),
        ("resources: {instance_count: 4, max_instance_count: 2}", "error[MK1008]: `instance_count` is 4 and"),
        ("resources: {shm_size: 2GB}", "error[MK1025]: `shm_size` is `2GB`, no size that Docker reads; write `2g`"),
        ("resources: {shm_size: 2Gi}", "write `2g`"),
        ("resources: {shm_size: 0g}", "write a number and `b`, `k`, `m` or `g`: `2g`"),
        ("resources: {shm_size: large}", "write a number and"),
        ("limits: {timeout: 0}", "error[MK1007]: `timeout` is 0; the least is 1 second"),
        ("distribution: {type: pytorch, process_count_per_instance: 0}", "`process_count_per_instance` is 0"),
        ("distribution: {type: mpi, process_count_per_instance: -1}", "`process_count_per_instance` is -1"),
        ("distribution: {type: ray, port: 70000}", "`port` is 70000; allowed are 1 to 65535"),
        ("distribution: {type: tensorflow, worker_count: 2}", "warning[MK1024]: 2 processes of TensorFlow are spread"),
        ("queue_settings: {job_tier: spotty}", "error[MK0106]: `spotty` is not a value of `job_tier`"),
    ],
)
def test_the_machines_of_a_job_are_looked_at(folder, line, message):
    (found,) = folder.found(f"{JOB}{line}\n")
    assert message in found


@pytest.mark.parametrize(
    "line",
    [
        "resources: {instance_count: 2, shm_size: 512m}\ndistribution: {type: tensorflow, worker_count: 2}",
        "resources: {instance_count: 3}\ndistribution: {type: tensorflow, worker_count: 2, parameter_server_count: 1}",
        "resources: {instance_count: 2}\ndistribution: {type: tensorflow, parameter_server_count: 1}",
        "distribution: {type: pytorch, process_count_per_instance: 4}",
        "limits: {timeout: 3600}\nqueue_settings: {job_tier: Spot, priority: low}",
    ],
)
def test_machines_of_the_usual_forms_pass(folder, line):
    assert folder.found(f"{JOB}{line}\n") == []


def test_r14_shared_memory_in_a_step_is_sent_to_its_place_and_read_there(folder):
    pipeline = "type: pipeline\njobs:\n  fit:\n    command: echo\n    environment: azureml:sklearn@latest\n"
    (found,) = folder.found(pipeline + "    shm_size: 2g\n")
    assert "error[MK0109]: misplaced key `shm_size` in `fit`; it belongs under `resources`" in found
    assert folder.found(pipeline + "    resources: {shm_size: 2g}\n") == []
    (found,) = folder.found(pipeline + "    resources: {shm_size: 2gb}\n")
    assert "6:27: error[MK1025]" in found


def test_a_number_that_is_bound_to_an_input_is_left_alone(folder):
    folder.put("components/fit.yml", "type: command\nname: fit\ncommand: echo\nenvironment: azureml:sklearn@latest\n")
    text = """\
type: pipeline
inputs: {nodes: 2}
jobs:
  fit:
    type: command
    component: ../components/fit.yml
    resources: {instance_count: "${{parent.inputs.nodes}}"}
    distribution: {type: tensorflow, worker_count: 5}
"""
    assert folder.found(text) == []
