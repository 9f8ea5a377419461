terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-workspace"
  location        = "westeurope"
}

module "identity_and_access" {
  source = "../../../identity_and_access"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  identities        = { workspace = "id-example-space" }
}

module "storage" {
  source = "../../../storage"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "stexamplespace"
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "key_vault" {
  source = "../../../key_vault"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "kv-example-space"
  purge_protection  = false
  soft_delete_days  = 7
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "observability" {
  source = "../../../observability"

  resource_group_id    = module.resource_group.id
  location             = module.resource_group.location
  log_analytics        = { name = "log-example-space" }
  application_insights = { name = "appi-example-space" }
}

module "workspace" {
  source = "../.."

  resource_group_id       = module.resource_group.id
  location                = module.resource_group.location
  name                    = "mlw-example-space"
  identity_id             = module.identity_and_access.identity_ids["workspace"]
  storage_account_id      = module.storage.id
  key_vault_id            = module.key_vault.id
  application_insights_id = module.observability.application_insights_id
}
