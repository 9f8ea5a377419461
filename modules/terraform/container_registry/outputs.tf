output "id" {
  value       = azapi_resource.this.id
  description = "The id of the registry."
}

output "name" {
  value       = azapi_resource.this.name
  description = "The name of the registry."
}

output "login_server" {
  value       = azapi_resource.this.output.login_server
  description = "The address that images are pulled from."
}
