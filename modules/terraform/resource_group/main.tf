resource "azapi_resource" "this" {
  type      = "Microsoft.Resources/resourceGroups@2024-03-01"
  parent_id = "/subscriptions/${var.subscription_id}"
  name      = var.name
  location  = var.location
  tags      = var.tags

  response_export_values = []
}
