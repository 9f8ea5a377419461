mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location          = "westeurope"
  identities        = { workspace = "id-shop" }
  role_assignments = {
    before = {
      name               = "33333333-2222-3333-4444-555555555555"
      scope              = "storage"
      scope_id           = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st"
      identity           = "workspace"
      principal_type     = "ServicePrincipal"
      role_definition_id = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r"
    }
    after = {
      name               = "44444444-2222-3333-4444-555555555555"
      scope              = "workspace"
      scope_id           = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
      principal_id       = "55555555-2222-3333-4444-555555555555"
      principal_type     = "Group"
      role_definition_id = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r"
      custom_role        = "data_scientist"
    }
  }
}

run "grants_come_before_the_workspace_and_others_after" {
  command = plan

  assert {
    condition     = keys(azapi_resource.role_assignments) == ["before"] && keys(azapi_resource.workspace_role_assignments) == ["after"]
    error_message = "Only grants at the workspace may wait for it."
  }
}

run "the_principal_type_is_always_set" {
  command = plan

  assert {
    condition     = azapi_resource.workspace_role_assignments["after"].body.properties.principalType == "Group"
    error_message = "The service must not have to look the principal up."
  }
}

run "only_a_custom_role_is_waited_for" {
  command = plan

  assert {
    condition     = length(azapi_resource.role_assignments["before"].retry.error_message_regex) == 1 && length(azapi_resource.workspace_role_assignments["after"].retry.error_message_regex) == 2
    error_message = "A built-in role that is missing is a mistake."
  }
}

run "a_credential_of_an_unknown_identity_is_refused" {
  command = plan

  variables {
    federated_credentials = {
      dev = { name = "dev", identity = "nobody", issuer = "https://x", subject = "s", audiences = ["a"] }
    }
  }

  expect_failures = [var.federated_credentials]
}
