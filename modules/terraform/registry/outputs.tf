output "id" {
  value       = azapi_resource.this.id
  description = "The id of the registry."
}

output "name" {
  value       = azapi_resource.this.name
  description = "The name of the registry."
}
