terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-watch"
  location        = "westeurope"
}

module "observability" {
  source = "../.."

  resource_group_id    = module.resource_group.id
  location             = module.resource_group.location
  log_analytics        = { name = "log-example-watch" }
  application_insights = { name = "appi-example-watch" }
  action_group = {
    name       = "ag-example"
    short_name = "example"
    emails     = { ops = "ops@example.com" }
  }
}
