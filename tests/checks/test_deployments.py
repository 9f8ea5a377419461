"""Online deployments and endpoints: the fields of each kind, numbers, traffic, sign-in (lessons 7 and 14, R14)."""

import io

import pytest

MANAGED = "name: blue\nendpoint_name: churn\nmodel: azureml:churn:1\ninstance_type: Standard_DS3_v2\n"
KUBERNETES = "name: blue\nendpoint_name: churn\ntype: kubernetes\nmodel: azureml:churn:1\n"
HEADER = "$schema: https://azuremlschemas.azureedge.net/latest/{}.schema.json\n"
ENDPOINT = HEADER.format("managedOnlineEndpoint") + "name: churn\n"
ON_KUBERNETES = HEADER.format("kubernetesOnlineEndpoint") + "name: churn\ncompute: azureml:aks\n"
OF_BATCHES = HEADER.format("batchEndpoint") + "name: churn\n"
INLINE = "name: blue\nendpoint_name: churn\ninstance_type: Standard_DS3_v2\n"
PATH = "azureml://jobs/a/outputs/artifacts/model"


def _in(folder, text):
    return folder.found(text, "endpoints/one.yml")


def test_l7_13_an_mlflow_model_deploys_with_neither_code_nor_environment(folder):
    assert _in(folder, MANAGED) == []
    assert _in(folder, INLINE + f"model: {{path: {PATH}, type: mlflow_model}}\n") == []


def test_a_custom_model_without_code_answers_nothing(folder):
    assert _in(folder, INLINE + f"model: {{path: {PATH}}}\n") == [
        (
            "4:1: error[MK1006]: nothing is said to run this model;"
            " add `code_configuration` and an environment, or `type: mlflow_model`"
        )
    ]


def test_a_container_with_routes_serves_by_itself(folder):
    routes = "".join(f"    {name}_route: {{path: /, port: 8080}}\n" for name in ("liveness", "readiness", "scoring"))
    environment = "environment:\n  name: server\n  image: a:1\n"
    model = f"model: {{path: {PATH}}}\n"
    assert _in(folder, f"{INLINE}{model}{environment}  inference_config:\n{routes}") == []
    (found,) = _in(folder, f"{INLINE}{model}{environment}")
    assert "warning[MK1006]" in found


def test_code_needs_an_environment(folder):
    folder.put("src/score.py", "def init(): ...\ndef run(data): ...\n")
    text = MANAGED + "code_configuration: {code: ../src, scoring_script: score.py}\n"
    (found,) = _in(folder, text)
    assert found.startswith("5:1: error[MK1005]: the deployment has code and no `environment` to run it in")
    assert _in(folder, text + "environment: azureml:sklearn:1\n") == []


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ('resources: {requests: {cpu: "1", memory: 1Gi}}', "Standard_DS2_v2"),
        ('resources: {requests: {cpu: "1"}, limits: {cpu: "3"}}', "Standard_DS3_v2"),
        ("resources: {requests: {cpu: 500m, memory: 20Gi}}", "Standard_DS4_v2"),
        ("cpu: 12", "Standard_DS5_v2"),
        ("memory: 100", "Standard_E32s_v3"),
        ("cpu_cores: 1", "Standard_DS2_v2"),
        ("resources: {requests: {memory: 8589934592}}", "Standard_DS3_v2"),
        ("resources: {requests: {cpu: 900}}", "Standard_E32s_v3"),
    ],
)
def test_l7_14_cpu_and_memory_on_managed_machines_are_an_error_that_suggests_a_size(folder, asked, size):
    (found,) = _in(folder, MANAGED.replace("instance_type: Standard_DS3_v2", asked))
    assert found.startswith("4:1: error[MK0109]: misplaced key `")
    assert found.endswith(f"a managed deployment gets cpu and memory with `instance_type: {size}`")


def test_l7_14_resources_belong_to_kubernetes(folder):
    resources = 'resources:\n  requests: {cpu: 1000m, memory: 512Mi}\n  limits: {cpu: "1", memory: 1Gi}\n'
    assert _in(folder, KUBERNETES + resources) == []


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ("{requests: {memory: 1 GB}}", "error[MK1025]: `memory` is `1 GB`, no amount that Kubernetes reads"),
        ("{limits: {cpu: two}}", "error[MK1025]: `cpu` is `two`, no amount that Kubernetes reads"),
        ('{requests: {cpu: "2"}, limits: {cpu: 1500m}}', "error[MK1008]: `requests` has more of `cpu` than `limits`"),
        (
            "{requests: {memory: 2Gi}, limits: {memory: 2000M}}",
            "error[MK1008]: `requests` has more of `memory` than `limits`",
        ),
    ],
)
def test_amounts_of_kubernetes_are_read_and_compared(folder, resources, message):
    (found,) = _in(folder, f"{KUBERNETES}resources: {resources}\n")
    assert message in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            MANAGED.replace("endpoint_name", "type: aci\nendpoint_name"),
            "`aci` is not a value of `type`; ACI is retired",
        ),
        (MANAGED.replace("instance_type: Standard_DS3_v2", "target: aci"), "misplaced key `target`; ACI is retired"),
    ],
)
def test_l7_03_container_instances_are_retired_and_a_managed_deployment_is_named(folder, text, told):
    (found,) = _in(folder, text)
    assert told in found
    assert "`instance_type: Standard_DS2_v2`" in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "computeType: ACI\ncontainerResourceRequirements: {cpu: 1, memoryInGB: 1}\n",
            "`instance_type: Standard_DS2_v2`",
        ),
        ("entryScript: score.py\nruntime: python\n", "becomes `code_configuration` and `environment` of a deployment"),
    ],
)
def test_l7_03_files_that_only_v1_had_are_told_what_they_become(folder, text, told):
    (found,) = _in(folder, text)
    assert found.startswith("1:1: error[MK0101]: this is no kind of Azure ML file that is known; ")
    assert told in found


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        (MANAGED + "traffic: {blue: 100}\n", "traffic", "it belongs in the file of the endpoint"),
        (MANAGED + "auth_mode: key\n", "auth_mode", "it belongs in the file of the endpoint"),
        (HEADER.format("managedOnlineDeployment") + MANAGED + "mini_batch_size: 5\n", "mini_batch_size",
         "only a batch deployment has it"),
        (KUBERNETES + "egress_public_network_access: disabled\n", "egress_public_network_access",
         "only a managed deployment has it; here the network of the cluster decides"),
        (ENDPOINT + "app_insights_enabled: true\n", "app_insights_enabled", "it belongs in the file of a deployment"),
        (ENDPOINT + "data_collector: {}\n", "data_collector", "it belongs in the file of a deployment"),
        (ON_KUBERNETES + "public_network_access: disabled\n", "public_network_access",
         "only a managed endpoint has it; here the network of the cluster decides"),
        (OF_BATCHES + "traffic: {blue: 100}\n", "traffic",
         "a batch endpoint calls one deployment: `defaults: {deployment_name: NAME}`"),
    ],
)  # fmt: skip
def test_r14_l14_04_a_field_of_another_kind_is_sent_to_its_place(folder, text, key, told):
    (found,) = _in(folder, text)
    assert found.endswith(f"error[MK0109]: misplaced key `{key}`; {told}")


def test_what_stands_in_the_right_place_passes_here_and_loads_in_the_sdk(folder):
    from azure.ai.ml import load_online_deployment

    text = MANAGED + (
        "app_insights_enabled: true\negress_public_network_access: disabled\n"
        "data_collector: {sampling_rate: 0.5, collections: {model_inputs: {enabled: 'true'}}}\n"
        "request_settings: {request_timeout_ms: 90000, max_concurrent_requests_per_instance: 4}\n"
        "liveness_probe: {period: 10, initial_delay: 10, timeout: 2, success_threshold: 1, failure_threshold: 30}\n"
        "readiness_probe: {period: 10, success_threshold: 2}\nscale_settings: {type: default}\ninstance_count: 2\n"
    )
    assert _in(folder, text) == []
    assert load_online_deployment(io.StringIO(text)).instance_count == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("instance_count: 0", "`instance_count` is 0; the least is 1"),
        ("instance_count: -3", "`instance_count` is -3; the least is 1"),
        (
            "request_settings: {request_timeout_ms: 0}",
            "`request_timeout_ms` is 0; allowed are 1 to 180000 milliseconds",
        ),
        ("request_settings: {request_timeout_ms: 180001}", "allowed are 1 to 180000 milliseconds"),
        ("request_settings: {max_concurrent_requests_per_instance: 0}", "the least is 1"),
        ("request_settings: {max_queue_wait_ms: -1}", "the least is 0"),
        ("liveness_probe: {period: 0}", "`period` is 0; the least is 1"),
        ("readiness_probe: {failure_threshold: 0}", "`failure_threshold` is 0; the least is 1"),
        ("data_collector: {sampling_rate: 1.5}", "`sampling_rate` is 1.5; allowed are 0 to 1"),
    ],
)
def test_a_number_out_of_bounds_is_found(folder, line, message):
    (found,) = _in(folder, MANAGED + line + "\n")
    assert found.startswith("5:")
    assert "error[MK1007]" in found
    assert message in found


def test_a_liveness_probe_of_kubernetes_knows_one_success(folder):
    (found,) = _in(folder, KUBERNETES + "liveness_probe: {success_threshold: 2}\n")
    assert "`success_threshold` is 2; it must be 1" in found
    assert _in(folder, MANAGED + "liveness_probe: {success_threshold: 2}\n") == []


def test_kubernetes_waits_longer_than_managed_machines(folder):
    timeout = "request_settings: {request_timeout_ms: 200000}\n"
    assert _in(folder, KUBERNETES + timeout) == []
    assert len(_in(folder, MANAGED + timeout)) == 1


def test_a_number_that_is_text_counts_and_one_beyond_all_numbers_is_no_traceback(folder):
    (found,) = _in(folder, MANAGED + f"instance_count: {'9' * 400}\n")
    assert "error[MK0105]" in found
    assert len(_in(folder, MANAGED + 'instance_count: "0"\n')) == 1
    assert _in(folder, MANAGED + 'instance_count: "1"\n') == []


def test_only_kubernetes_scales_by_use_and_its_numbers_are_looked_at(folder):
    scales = "scale_settings: {{type: target_utilization, min_instances: {}, max_instances: {}}}\n"
    (found,) = _in(folder, MANAGED + scales.format(1, 3))
    assert "error[MK1009]: `target_utilization` is for Kubernetes only" in found
    assert _in(folder, KUBERNETES + scales.format(1, 3)) == []
    (found,) = _in(folder, KUBERNETES + scales.format(3, 1))
    assert "error[MK1008]: `min_instances` is 3 and `max_instances` is 1; write a `max_instances` of 3 or more" in found
    (found,) = _in(
        folder, KUBERNETES + "scale_settings: {type: target_utilization, target_utilization_percentage: 101}\n"
    )
    assert "allowed are 1 to 100" in found


def test_the_sdk_refuses_the_same_scaling_of_managed_machines_but_only_when_it_is_sent():
    from azure.ai.ml import load_online_deployment

    text = MANAGED + "scale_settings: {type: target_utilization, min_instances: 3, max_instances: 1}\n"
    with pytest.raises(Exception, match="supports DefaultScaleSettings only"):
        load_online_deployment(io.StringIO(text))._validate()


def test_machines_are_named_as_the_kind_knows_them(folder):
    (found,) = _in(folder, KUBERNETES + "instance_type: Standard_DS3_v2\n")
    assert "error[MK1013]: `instance_type` is `Standard_DS3_v2`, a size of virtual machines" in found
    assert _in(folder, KUBERNETES + "instance_type: defaultinstancetype\n") == []
    (found,) = _in(folder, MANAGED.replace("Standard_DS3_v2", "small"))
    assert "error[MK1013]: `instance_type` is `small`, no size of virtual machines" in found


@pytest.mark.parametrize("shares", ["{blue: 100}", "{blue: 90, green: 10}", "{blue: 0}", "{}", "{blue: 0, green: 0}"])
def test_shares_of_the_traffic_that_sum_to_all_or_nothing_pass(folder, shares):
    assert _in(folder, f"{ENDPOINT}traffic: {shares}\n") == []


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ("{blue: 90, green: 20}", "3:1: error[MK1010]: the shares of `traffic` sum to 110; they must sum to 100"),
        ("{blue: 50}", "3:1: error[MK1010]: the shares of `traffic` sum to 50"),
        ("{blue: 150, green: -50}", "3:17: error[MK1010]: the share of `blue` is 150; a share is 0 to 100 percent"),
    ],
)
def test_other_shares_are_found(folder, shares, message):
    (found,) = _in(folder, f"{ENDPOINT}traffic: {shares}\n")
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENDPOINT + "mirror_traffic: {green: 60}\n", "`mirror_traffic` is 60 percent; 50 is the most"),
        (ENDPOINT + "mirror_traffic: {green: 10, red: 10}\n", "`mirror_traffic` names more than one deployment"),
        (ENDPOINT + "traffic: {green: 100}\nmirror_traffic: {green: 10}\n", "`green` gets traffic and its mirror"),
        (ON_KUBERNETES + "mirror_traffic: {green: 10}\n", "an endpoint on Kubernetes mirrors no traffic"),
    ],
)
def test_a_mirror_of_the_traffic_that_the_service_refuses_is_found(folder, text, message):
    (found,) = _in(folder, text)
    assert "error[MK1012]" in found
    assert message in found


def test_an_endpoint_on_kubernetes_names_its_cluster(folder):
    assert _in(folder, ON_KUBERNETES) == []
    (found,) = _in(folder, ON_KUBERNETES.replace("compute: azureml:aks\n", ""))
    assert found.endswith("required key `compute` is missing; name the attached cluster: `compute: azureml:NAME`")


def test_a_mirror_of_half_of_the_traffic_to_an_idle_deployment_passes(folder):
    assert _in(folder, ENDPOINT + "traffic: {blue: 100, green: 0}\nmirror_traffic: {green: 50}\n") == []


@pytest.mark.parametrize("mode", ["none", "off", "None"])
def test_l7_21_an_endpoint_that_is_open_to_everyone_is_an_error(folder, mode):
    (found,) = _in(folder, f"{ENDPOINT}auth_mode: {mode}\n")
    assert found.startswith("3:12: error[MK0106]: ")
    assert "is not a value of `auth_mode`" in found


@pytest.mark.parametrize(
    ("endpoint", "good", "bad"),
    [
        (ENDPOINT, ["key", "aml_token", "aad_token", "AADToken", "Key"], []),
        (ON_KUBERNETES, ["key", "aml_token"], ["aad_token", "AADToken"]),
        (OF_BATCHES, ["aad_token", "AADToken"], ["key", "aml_token", "Key"]),
    ],
)
def test_l8_14_each_kind_of_endpoint_has_its_ways_to_sign_in(folder, endpoint, good, bad):
    assert [mode for mode in good if _in(folder, f"{endpoint}auth_mode: {mode}\n")] == []
    for mode in bad:
        (found,) = _in(folder, f"{endpoint}auth_mode: {mode}\n")
        assert f"error[MK1014]: {'a batch endpoint' if 'atch' in endpoint else 'an endpoint on Kubernetes'}" in found
        assert f"write `auth_mode: {good[0]}`" in found


IDENTITY = "/subscriptions/a/resourceGroups/b/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c"


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("{type: user_assigned}", "error[MK1015]: `user_assigned` needs an identity that is named"),
        (f"{{type: system_assigned, user_assigned_identities: [{{resource_id: {IDENTITY}}}]}}",
         "error[MK1015]: `user_assigned_identities` do not go with `type: system_assigned`"),
        ("{type: user_assigned, user_assigned_identities: [{resource_id: my-identity}]}",
         "error[MK1021]: `my-identity` is no resource id of a user-assigned identity; the form is /subscriptions/ID/"),
    ],
)  # fmt: skip
def test_an_identity_is_named_as_its_type_says(folder, identity, message):
    (found,) = _in(folder, f"{ENDPOINT}identity: {identity}\n")
    assert message in found


def test_the_usual_identities_pass(folder):
    assert _in(folder, ENDPOINT + "identity: {type: system_assigned}\n") == []
    named = f"{{type: user_assigned, user_assigned_identities: [{{resource_id: {IDENTITY}}}]}}"
    assert _in(folder, f"{ENDPOINT}identity: {named}\n") == []


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("model: azureml:churn@latest", "azureml:churn:VERSION"),
        ("model: azureml:churn", "azureml:churn:VERSION"),
        ("environment: azureml:sklearn@latest", "azureml:sklearn:VERSION"),
        (
            "environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
            "azureml://registries/azureml/environments/sklearn-1.5/versions/VERSION",
        ),
    ],
)
def test_l7_08_a_protected_environment_refuses_what_can_become_another_one(folder, line, meant):
    text = f"{INLINE}{line}\n"
    assert folder.found(text, "endpoints/one.yml") == []
    (found,) = folder.found(text, "endpoints/one.yml", protected=True)
    assert found.startswith("4:")
    assert "error[MK1016]" in found
    assert found.endswith(f"write `{meant}`")


def test_l7_08_versions_pass_and_data_may_be_the_newest(folder):
    assert folder.found(MANAGED, "endpoints/one.yml", protected=True) == []
    job = "command: cat ${{inputs.rows}}\nenvironment: azureml:sklearn:3\n"
    data = "inputs: {rows: {type: uri_file, path: azureml:rows@latest}}\n"
    assert folder.found(job + data, "jobs/one.yml", protected=True) == []


def test_l7_08_the_steps_of_a_pipeline_are_looked_at(folder):
    text = "type: pipeline\njobs:\n  fit:\n    component: azureml:fit@latest\n"
    (found,) = folder.found(text, "jobs/one.yml", protected=True)
    assert "4:16: error[MK1016]: `azureml:fit@latest` can become another component" in found
