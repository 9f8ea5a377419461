terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-network"
  location        = "westeurope"
}

module "network" {
  source = "../.."

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  virtual_network   = { name = "vnet-example", address_space = ["10.0.0.0/16"] }
  subnets = {
    endpoints = { name = "snet-endpoints", prefix = "10.0.0.0/24", service_endpoints = ["Microsoft.Storage"] }
    compute   = { name = "snet-compute", prefix = "10.0.1.0/24" }
  }
  dns_zones = { "privatelink.blob.core.windows.net" = { link = "vnet-example" } }
}
