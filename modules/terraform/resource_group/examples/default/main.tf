terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../.."

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-group"
  location        = "westeurope"
}
