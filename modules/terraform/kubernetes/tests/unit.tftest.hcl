mock_provider "azapi" {}

variables {
  resource_group_id     = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location              = "westeurope"
  workspace_id          = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
  cluster_id            = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks"
  extension             = { name = "azureml", settings = {} }
  compute_name          = "kubernetes"
  identity_id           = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
  instance_types        = { small = { cpu = "1", memory = "2Gi" }, gpu = { cpu = "4", memory = "16Gi", gpu = "1" } }
  default_instance_type = "small"
}

run "an_existing_cluster_is_not_created" {
  command = plan

  assert {
    condition     = length(azapi_resource.this) == 0 && azapi_resource.extension.parent_id == var.cluster_id
    error_message = "The extension must go onto the existing cluster."
  }
}

run "an_instance_type_without_gpus_asks_for_none" {
  command = plan

  assert {
    condition     = keys(azapi_resource.compute.body.properties.properties.instanceTypes["small"].resources.limits) == ["cpu", "memory"]
    error_message = "No graphics processors must be asked for."
  }
}

run "an_unknown_default_is_refused" {
  command = plan

  variables {
    default_instance_type = "large"
  }

  expect_failures = [var.default_instance_type]
}

run "two_clusters_are_refused" {
  command = plan

  variables {
    cluster = { name = "a", dns_prefix = "a", node_pools = { system = { size = "s", min_instances = 1, max_instances = 1 } } }
  }

  expect_failures = [var.cluster_id]
}
