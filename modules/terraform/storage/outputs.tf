output "id" {
  value       = azapi_resource.this.id
  description = "The id of the account."
}

output "name" {
  value       = azapi_resource.this.name
  description = "The name of the account."
}

output "blob_endpoint" {
  value       = azapi_resource.this.output.blob_endpoint
  description = "The address of the blob service."
}

output "container_ids" {
  value       = { for name, container in azapi_resource.containers : name => container.id }
  description = "The ids of the containers by name."
}
