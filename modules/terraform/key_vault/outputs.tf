output "id" {
  value       = azapi_resource.this.id
  description = "The id of the vault."
}

output "name" {
  value       = azapi_resource.this.name
  description = "The name of the vault."
}

output "uri" {
  value       = azapi_resource.this.output.uri
  description = "The address of the vault."
}
