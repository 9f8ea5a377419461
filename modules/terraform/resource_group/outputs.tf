output "id" {
  value       = azapi_resource.this.id
  description = "The id of the group."
}

output "name" {
  value       = azapi_resource.this.name
  description = "The name of the group."
}

output "location" {
  value       = azapi_resource.this.location
  description = "The region of the group."
}
