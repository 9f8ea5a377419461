resource "azapi_resource" "diagnostics" {
  count = length(var.diagnostic_categories) == 0 ? 0 : 1

  type      = "Microsoft.Insights/diagnosticSettings@2021-05-01-preview"
  parent_id = var.workspace_id
  name      = var.diagnostic_setting

  body = {
    properties = {
      workspaceId = azapi_resource.this.id
      logs        = [for category in var.diagnostic_categories : { category = category, enabled = true }]
    }
  }

  response_export_values = []
}
