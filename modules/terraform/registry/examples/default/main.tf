terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-registry"
  location        = "westeurope"
}

module "registry" {
  source = "../.."

  resource_group_id = module.resource_group.id
  name              = "mlr-example"
  locations         = ["westeurope", "northeurope"]
}
