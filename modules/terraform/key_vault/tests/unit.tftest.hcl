mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location          = "westeurope"
  name              = "kv-shop"
  tenant_id         = "22222222-2222-3333-4444-555555555555"
  firewall          = { public_network_access = "Disabled", default_action = "Deny" }
}

run "roles_give_access" {
  command = plan

  assert {
    condition     = azapi_resource.this.body.properties.enableRbacAuthorization && azapi_resource.this.body.properties.enableSoftDelete
    error_message = "The vault must use roles and soft deletion."
  }
}

run "policies_give_access_where_roles_do_not" {
  command = plan

  variables {
    rbac            = false
    access_policies = { team = { principal_id = "33333333-2222-3333-4444-555555555555", secrets = ["get", "list"] } }
  }

  assert {
    condition = jsonencode(azapi_resource.this.body.properties.accessPolicies) == jsonencode([{
      tenantId    = "22222222-2222-3333-4444-555555555555"
      objectId    = "33333333-2222-3333-4444-555555555555"
      permissions = { keys = [], secrets = ["get", "list"], certificates = [] }
    }])
    error_message = "The team must read secrets, and nothing else."
  }
}

run "policies_beside_roles_are_refused" {
  command = plan

  variables {
    access_policies = { team = { principal_id = "33333333-2222-3333-4444-555555555555" } }
  }

  expect_failures = [var.access_policies]
}

run "purge_protection_is_left_out_where_it_is_off" {
  command = plan

  variables {
    purge_protection = false
  }

  assert {
    condition     = azapi_resource.this.body.properties.enablePurgeProtection == null
    error_message = "The service refuses false."
  }
}

run "two_hyphens_in_a_row_are_refused" {
  command = plan

  variables {
    name = "kv--shop"
  }

  expect_failures = [var.name]
}

run "six_days_are_refused" {
  command = plan

  variables {
    soft_delete_days = 6
  }

  expect_failures = [var.soft_delete_days]
}
