mock_provider "azapi" {}

variables {
  workspace_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
  location     = "westeurope"
  identity_ids = { compute = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i" }
  clusters     = { cpu = { size = "Standard_DS11_v2", max_instances = 4, identity = "compute" } }
  instances    = { ci-ana = { size = "Standard_DS11_v2" } }
}

run "a_cluster_scales_to_nothing" {
  command = plan

  assert {
    condition     = azapi_resource.this["cpu"].body.properties.properties.scaleSettings.minNodeCount == 0
    error_message = "A cluster must cost nothing while nothing runs."
  }
}

run "nobody_logs_in_without_ssh" {
  command = plan

  assert {
    condition     = azapi_resource.this["cpu"].body.properties.properties.remoteLoginPortPublicAccess == "Disabled"
    error_message = "The login port must be closed."
  }
}

run "what_is_not_said_is_left_out" {
  command = plan

  assert {
    condition     = azapi_resource.instances["ci-ana"].body.properties.properties.schedules == null && length(azapi_resource.instances["ci-ana"].identity) == 0
    error_message = "There must be neither schedules nor an identity."
  }
}

run "more_nodes_at_least_than_at_most_are_refused" {
  command = plan

  variables {
    clusters = { cpu = { size = "Standard_DS11_v2", min_instances = 5, max_instances = 4 } }
  }

  expect_failures = [var.clusters]
}

run "a_name_that_ends_in_digits_is_refused" {
  command = plan

  variables {
    clusters = { cpu-1 = { size = "Standard_DS11_v2", max_instances = 4 } }
  }

  expect_failures = [var.clusters]
}
