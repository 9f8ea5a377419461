mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location          = "westeurope"
}

run "no_network_unless_one_is_wanted" {
  command = plan

  assert {
    condition     = length(azapi_resource.this) == 0 && output.virtual_network_id == null
    error_message = "There must be no virtual network."
  }
}

run "subnets_stand_inside_the_network" {
  command = plan

  variables {
    virtual_network = { name = "vnet-shop", address_space = ["10.0.0.0/16"] }
    subnets         = { endpoints = { name = "snet-endpoints", prefix = "10.0.0.0/24" } }
  }

  assert {
    condition     = azapi_resource.this[0].body.properties.subnets[0].properties.privateEndpointNetworkPolicies == "Disabled"
    error_message = "The subnet must take private endpoints."
  }
}

run "an_existing_subnet_is_not_created" {
  command = plan

  variables {
    virtual_network_id = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/v"
    subnets = {
      compute = {
        name = "c"
        id   = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/v/subnets/c"
      }
    }
  }

  assert {
    condition     = output.subnet_ids["compute"] == "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/v/subnets/c"
    error_message = "The subnet must keep its id."
  }
}

run "a_subnet_without_prefix_and_id_is_refused" {
  command = plan

  variables {
    subnets = { compute = { name = "c" } }
  }

  expect_failures = [var.subnets]
}
