terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-trigger"
  location        = "westeurope"
}

module "identity_and_access" {
  source = "../../../identity_and_access"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  identities        = { trigger = "id-example-trigger" }
}

module "storage" {
  source = "../../../storage"

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  name              = "stexampletrigger"
  firewall          = { public_network_access = "Enabled", default_action = "Allow" }
}

module "data_trigger" {
  source = "../.."

  resource_group_id  = module.resource_group.id
  location           = module.resource_group.location
  topic              = "evgt-example"
  storage_account_id = module.storage.id
  identity_id        = module.identity_and_access.identity_ids["trigger"]

  triggers = {
    new-data = {
      subject_begins_with = "/blobServices/default/containers/data/blobs/training/"
      event_types         = ["Microsoft.Storage.BlobCreated"]
      queue               = "new-data"
    }
  }
}
