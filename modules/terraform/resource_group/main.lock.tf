resource "azapi_resource" "lock" {
  count = var.delete_lock == null ? 0 : 1

  type      = "Microsoft.Authorization/locks@2020-05-01"
  parent_id = azapi_resource.this.id
  name      = var.delete_lock

  body = {
    properties = {
      level = "CanNotDelete"
      notes = "Take the lock away before anything here is deleted."
    }
  }

  response_export_values = []

  depends_on = [var.lock_after]
}
