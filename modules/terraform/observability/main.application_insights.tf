resource "azapi_resource" "application_insights" {
  count = var.application_insights.name == null ? 0 : 1

  type      = "Microsoft.Insights/components@2020-02-02"
  parent_id = var.resource_group_id
  name      = var.application_insights.name
  location  = var.location
  tags      = var.tags

  body = {
    kind = "web"
    properties = {
      Application_Type    = "web"
      WorkspaceResourceId = azapi_resource.this.id
    }
  }

  response_export_values = []
}
