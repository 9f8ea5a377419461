resource "azapi_resource" "this" {
  type      = "Microsoft.EventGrid/systemTopics@2025-02-15"
  parent_id = var.resource_group_id
  name      = var.topic
  location  = var.location
  tags      = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity_id]
  }

  body = {
    properties = {
      source    = var.storage_account_id
      topicType = "Microsoft.Storage.StorageAccounts"
    }
  }

  replace_triggers_refs  = ["properties.source", "properties.topicType"]
  response_export_values = []
}
