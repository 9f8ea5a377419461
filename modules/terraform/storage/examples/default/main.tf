terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-storage"
  location        = "westeurope"
}

module "storage" {
  source = "../.."

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "stexamplestorage"
  containers        = ["data"]
  versioning        = true
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}
