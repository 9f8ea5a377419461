# The service makes the part "default" with the account, so it is changed and never created.
resource "azapi_update_resource" "blobs" {
  type      = "Microsoft.Storage/storageAccounts/blobServices@2024-01-01"
  parent_id = azapi_resource.this.id
  name      = "default"

  body = {
    properties = {
      isVersioningEnabled            = var.versioning
      deleteRetentionPolicy          = local.retention.blobs
      containerDeleteRetentionPolicy = local.retention.containers
    }
  }

  response_export_values = []
}

locals {
  # Days of a policy that is off are refused, so they are left out.
  retention = {
    for part, days in { blobs = var.blob_soft_delete_days, containers = var.container_soft_delete_days } :
    part => { for name, value in { enabled = days != null, days = days } : name => value if value != null }
  }
}

resource "azapi_resource" "containers" {
  for_each = toset(var.containers)

  type      = "Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01"
  parent_id = "${azapi_resource.this.id}/blobServices/default"
  name      = each.key
  body      = { properties = { publicAccess = "None" } }

  response_export_values = []

  depends_on = [azapi_update_resource.blobs]
}
