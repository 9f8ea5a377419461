resource "azapi_resource" "this" {
  type      = "Microsoft.ContainerRegistry/registries@2023-01-01-preview"
  parent_id = var.resource_group_id
  name      = var.name
  location  = var.location
  tags      = var.tags

  body = {
    sku = { name = var.sku }
    properties = {
      adminUserEnabled         = false
      anonymousPullEnabled     = false
      publicNetworkAccess      = var.public_network_access
      networkRuleBypassOptions = "AzureServices"
      zoneRedundancy           = "Disabled"
    }
  }

  response_export_values = { login_server = "properties.loginServer" }
}
