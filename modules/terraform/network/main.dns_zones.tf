locals {
  created_zones = { for name, zone in var.dns_zones : name => zone if zone.id == null }
}

resource "azapi_resource" "dns_zones" {
  for_each = local.created_zones

  type      = "Microsoft.Network/privateDnsZones@2024-06-01"
  parent_id = var.resource_group_id
  name      = each.key
  location  = "global"
  tags      = var.tags
  body      = {}

  response_export_values = []
}

resource "azapi_resource" "dns_zone_links" {
  for_each = { for name, zone in local.created_zones : name => zone if zone.link != null }

  type      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01"
  parent_id = azapi_resource.dns_zones[each.key].id
  name      = each.value.link
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      virtualNetwork      = { id = local.virtual_network_id }
      registrationEnabled = false
    }
  }

  response_export_values = []
}
