output "virtual_network_id" {
  value       = local.virtual_network_id
  description = "The id of the virtual network, created or existing; null without one."
}

output "subnet_ids" {
  value       = local.subnet_ids
  description = "The ids of the subnets by their use."
}

output "dns_zone_ids" {
  value = {
    for name, zone in var.dns_zones :
    name => zone.id != null ? zone.id : azapi_resource.dns_zones[name].id
  }
  description = "The ids of the private DNS zones by name."
}

output "dns_zone_link_ids" {
  value       = { for name, link in azapi_resource.dns_zone_links : name => link.id }
  description = "The ids of the links of created zones: names are found only once these exist."
}
