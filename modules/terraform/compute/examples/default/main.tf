terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-compute"
  location        = "westeurope"
}

module "identity_and_access" {
  source = "../../../identity_and_access"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  identities        = { workspace = "id-example-compute" }
}

module "storage" {
  source = "../../../storage"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "stexamplecompute"
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "key_vault" {
  source = "../../../key_vault"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "kv-example-compute"
  purge_protection  = false
  soft_delete_days  = 7
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "observability" {
  source = "../../../observability"

  resource_group_id    = module.resource_group.id
  location             = module.resource_group.location
  log_analytics        = { name = "log-example-compute" }
  application_insights = { name = "appi-example-compute" }
}

module "workspace" {
  source = "../../../workspace"

  resource_group_id       = module.resource_group.id
  location                = module.resource_group.location
  name                    = "mlw-example-compute"
  identity_id             = module.identity_and_access.identity_ids["workspace"]
  storage_account_id      = module.storage.id
  key_vault_id            = module.key_vault.id
  application_insights_id = module.observability.application_insights_id
}

module "compute" {
  source = "../.."

  workspace_id = module.workspace.id
  location     = module.resource_group.location
  identity_ids = module.identity_and_access.identity_ids

  clusters = {
    cpu-cluster = { size = "Standard_DS11_v2", max_instances = 2, identity = "workspace" }
  }
  instances = {
    ci-example = {
      size                      = "Standard_DS11_v2"
      idle_time_before_shutdown = "PT30M"
      schedules                 = [{ action = "Stop", cron = "0 19 * * 1-5", time_zone = "UTC" }]
    }
  }
}
