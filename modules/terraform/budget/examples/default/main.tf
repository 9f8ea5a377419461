terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-budget"
  location        = "westeurope"
}

module "budget" {
  source = "../.."

  resource_group_id = module.resource_group.id
  name              = "budget-example"
  amount            = 500
  start             = "2026-01-01"
  emails            = ["ops@example.com"]
}
