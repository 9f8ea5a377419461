terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-vault"
  location        = "westeurope"
}

module "key_vault" {
  source = "../.."

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "kv-example-vault"
  purge_protection  = false
  soft_delete_days  = 7
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}
