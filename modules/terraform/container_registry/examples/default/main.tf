terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-images"
  location        = "westeurope"
}

module "container_registry" {
  source = "../.."

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "crexampleimages"
}
