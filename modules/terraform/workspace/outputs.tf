output "id" {
  value       = azapi_resource.this.id
  description = "The id of the workspace."
}

output "name" {
  value       = azapi_resource.this.name
  description = "The name of the workspace."
}

output "workspace_id" {
  value       = azapi_resource.this.output.workspace_id
  description = "The GUID of the workspace, which is new each time one of that name is created."
}

output "discovery_url" {
  value       = azapi_resource.this.output.discovery_url
  description = "The address under which clients find the services of the workspace."
}

output "private_endpoint_ids" {
  value       = { for key, endpoint in azapi_resource.private_endpoints : key => endpoint.id }
  description = "The ids of the private endpoints by key."
}

output "last_ids" {
  value       = concat(values(azapi_resource.private_endpoints)[*].id, values(azapi_resource.dns_zone_groups)[*].id)
  description = "The ids of what is created after the workspace."
}
