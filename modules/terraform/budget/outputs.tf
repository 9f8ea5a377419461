output "id" {
  value       = azapi_resource.this.id
  description = "The id of the budget."
}
