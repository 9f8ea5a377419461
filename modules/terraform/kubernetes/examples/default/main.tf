terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-kubernetes"
  location        = "westeurope"
}

module "identity_and_access" {
  source = "../../../identity_and_access"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  identities        = { workspace = "id-example-kube" }
}

module "storage" {
  source = "../../../storage"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "stexamplekube"
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "key_vault" {
  source = "../../../key_vault"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "kv-example-kube"
  purge_protection  = false
  soft_delete_days  = 7
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "observability" {
  source = "../../../observability"

  resource_group_id    = module.resource_group.id
  location             = module.resource_group.location
  log_analytics        = { name = "log-example-kube" }
  application_insights = { name = "appi-example-kube" }
}

module "workspace" {
  source = "../../../workspace"

  resource_group_id       = module.resource_group.id
  location                = module.resource_group.location
  name                    = "mlw-example-kube"
  identity_id             = module.identity_and_access.identity_ids["workspace"]
  storage_account_id      = module.storage.id
  key_vault_id            = module.key_vault.id
  application_insights_id = module.observability.application_insights_id
}

module "kubernetes" {
  source = "../.."

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  workspace_id      = module.workspace.id
  cluster = {
    name       = "aks-example"
    dns_prefix = "aks-example"
    node_pools = { system = { size = "Standard_DS3_v2", min_instances = 1, max_instances = 3 } }
  }
  extension             = { name = "azureml", settings = { enableTraining = "true" } }
  compute_name          = "kubernetes"
  identity_id           = module.identity_and_access.identity_ids["workspace"]
  instance_types        = { small = { cpu = "1", memory = "2Gi" } }
  default_instance_type = "small"
}
