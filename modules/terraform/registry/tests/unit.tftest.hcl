mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  name              = "mlr-shop"
  locations         = ["westeurope", "northeurope"]
}

run "every_region_has_its_own_storage" {
  command = plan

  assert {
    condition     = [for region in azapi_resource.this.body.properties.regionDetails : region.location] == ["westeurope", "northeurope"]
    error_message = "Every region must be named."
  }
}

run "a_region_twice_is_refused" {
  command = plan

  variables {
    locations = ["westeurope", "westeurope"]
  }

  expect_failures = [var.locations]
}
