# The subnets stand inside the network: as resources of their own they would be written at the same time, which the
# service refuses, and a later write of the network without them would delete them.
resource "azapi_resource" "this" {
  count = var.virtual_network == null ? 0 : 1

  type      = "Microsoft.Network/virtualNetworks@2024-05-01"
  parent_id = var.resource_group_id
  name      = var.virtual_network.name
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      addressSpace         = { addressPrefixes = var.virtual_network.address_space }
      enableDdosProtection = false
      enableVmProtection   = false
      subnets = [
        for subnet in var.subnets : {
          name = subnet.name
          properties = {
            addressPrefix                     = subnet.prefix
            serviceEndpoints                  = [for service in subnet.service_endpoints : { service = service }]
            privateEndpointNetworkPolicies    = "Disabled"
            privateLinkServiceNetworkPolicies = "Enabled"
          }
        } if subnet.prefix != null
      ]
    }
  }

  response_export_values = []
}

locals {
  virtual_network_id = one(concat(azapi_resource.this[*].id, var.virtual_network_id[*]))
  subnet_ids = {
    for key, subnet in var.subnets :
    key => subnet.id != null ? subnet.id : "${local.virtual_network_id}/subnets/${subnet.name}"
  }
}
