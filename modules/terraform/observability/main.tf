resource "azapi_resource" "this" {
  type      = "Microsoft.OperationalInsights/workspaces@2023-09-01"
  parent_id = var.resource_group_id
  name      = var.log_analytics.name
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      sku              = { name = "PerGB2018" }
      retentionInDays  = var.log_analytics.retention_days
      workspaceCapping = { dailyQuotaGb = var.log_analytics.daily_cap_gb }
    }
  }

  response_export_values = { customer_id = "properties.customerId" }
}
