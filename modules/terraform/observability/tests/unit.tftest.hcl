mock_provider "azapi" {}

variables {
  resource_group_id    = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location             = "westeurope"
  log_analytics        = { name = "log-shop" }
  application_insights = { name = "appi-shop" }
}

run "traces_go_to_the_log_store" {
  command = plan

  assert {
    condition     = azapi_resource.application_insights[0].body.properties.Application_Type == "web"
    error_message = "The component must be of type web."
  }
}

run "an_existing_component_is_not_created" {
  command = plan

  variables {
    application_insights = { id = "/subscriptions/s/appi" }
  }

  assert {
    condition     = length(azapi_resource.application_insights) == 0 && output.application_insights_id == "/subscriptions/s/appi"
    error_message = "The component must keep its id."
  }
}

run "categories_make_a_diagnostic_setting" {
  command = plan

  variables {
    workspace_id          = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    diagnostic_categories = ["AmlOnlineEndpointConsoleLog"]
  }

  assert {
    condition     = [for log in azapi_resource.diagnostics[0].body.properties.logs : log.category] == ["AmlOnlineEndpointConsoleLog"]
    error_message = "The setting must have the category."
  }
}

run "a_component_that_is_neither_new_nor_there_is_refused" {
  command = plan

  variables {
    application_insights = {}
  }

  expect_failures = [var.application_insights]
}
