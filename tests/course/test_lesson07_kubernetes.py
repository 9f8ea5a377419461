"""Lesson 7: a Kubernetes cluster to serve from, as infrastructure and as a template."""

import io

KUBERNETES = "infra.kubernetes={}"
DEPLOYMENT = """\
name: blue
type: kubernetes
endpoint_name: diabetes
model: azureml:diabetes:1
instance_type: small
instance_count: 1
resources:
  requests: {cpu: "1", memory: 1Gi}
  limits: {cpu: "1", memory: 1Gi}
"""


def test_l7_04_deployment_on_kubernetes_loads_with_its_cpu_and_memory():
    from azure.ai.ml import load_online_deployment

    loaded = load_online_deployment(io.StringIO(DEPLOYMENT))
    assert type(loaded).__name__ == "KubernetesOnlineDeployment"
    assert (loaded.resources.requests.cpu, loaded.resources.requests.memory) == ("1", "1Gi")


def test_l7_15_cluster_is_made_extended_and_attached(planned):
    found = planned("dev", KUBERNETES)
    (cluster,) = found.of("Microsoft.ContainerService/managedClusters")
    assert cluster["properties"]["agentPoolProfiles"]
    (extension,) = found.of("Microsoft.KubernetesConfiguration/extensions")
    assert extension["properties"]["extensionType"].lower() == "microsoft.azureml.kubernetes"
    computes = found.of("Microsoft.MachineLearningServices/workspaces/computes")
    (attached,) = (one for one in computes if one["properties"]["computeType"] == "Kubernetes")
    assert attached["properties"]["properties"]["namespace"] == "default"
    assert planned("dev").of("Microsoft.ContainerService/managedClusters") == []
