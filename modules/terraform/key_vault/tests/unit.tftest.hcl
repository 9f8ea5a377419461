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
