mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location          = "westeurope"
  name              = "crshop"
}

run "there_is_no_admin_user" {
  command = plan

  assert {
    condition     = azapi_resource.this.body.properties.adminUserEnabled == false
    error_message = "The admin user must be off."
  }
}

run "a_closed_registry_that_is_not_premium_is_refused" {
  command = plan

  variables {
    public_network_access = "Disabled"
  }

  expect_failures = [var.public_network_access]
}

run "a_name_with_a_hyphen_is_refused" {
  command = plan

  variables {
    name = "cr-shop"
  }

  expect_failures = [var.name]
}
