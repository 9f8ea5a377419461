mock_provider "azapi" {}

variables {
  subscription_id = "11111111-2222-3333-4444-555555555555"
  name            = "rg-shop"
  location        = "westeurope"
}

run "no_lock_unless_one_is_named" {
  command = plan

  assert {
    condition     = length(azapi_resource.lock) == 0
    error_message = "There must be no lock."
  }
}

run "a_named_lock_stops_deletion" {
  command = plan

  variables {
    delete_lock = "do-not-delete"
  }

  assert {
    condition     = azapi_resource.lock[0].body.properties.level == "CanNotDelete"
    error_message = "The lock must stop deletion."
  }
}

run "a_subscription_that_is_no_guid_is_refused" {
  command = plan

  variables {
    subscription_id = "mine"
  }

  expect_failures = [var.subscription_id]
}
