locals {
  private_link_ids = merge(var.private_link_ids, { workspace = azapi_resource.this.id })
}

resource "azapi_resource" "private_endpoints" {
  for_each = var.private_endpoints

  type      = "Microsoft.Network/privateEndpoints@2024-05-01"
  parent_id = var.resource_group_id
  name      = each.value.name
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      subnet = { id = var.private_endpoint_subnet_id }
      privateLinkServiceConnections = [{
        name = each.value.name
        properties = {
          privateLinkServiceId = local.private_link_ids[each.value.target]
          groupIds             = [each.value.group_id]
        }
      }]
    }
  }

  replace_triggers_refs  = ["properties.subnet.id", "properties.privateLinkServiceConnections"]
  response_export_values = []
}

resource "azapi_resource" "dns_zone_groups" {
  for_each = { for key, endpoint in var.private_endpoints : key => endpoint if length(endpoint.dns_zones) > 0 }

  type      = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01"
  parent_id = azapi_resource.private_endpoints[each.key].id
  name      = "default"

  body = {
    properties = {
      privateDnsZoneConfigs = [
        for zone in each.value.dns_zones :
        { name = replace(zone, ".", "-"), properties = { privateDnsZoneId = var.dns_zone_ids[zone] } }
      ]
    }
  }

  response_export_values = []
}
