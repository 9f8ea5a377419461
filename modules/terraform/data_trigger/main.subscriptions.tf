locals {
  told_queues   = { for name, one in var.triggers : name => one if one.queue != null }
  told_webhooks = { for name, one in var.triggers : name => one if one.webhook_url != null }
  filters = {
    for name, one in var.triggers :
    name => {
      subjectBeginsWith      = one.subject_begins_with
      subjectEndsWith        = one.subject_ends_with
      includedEventTypes     = one.event_types
      isSubjectCaseSensitive = false
    }
  }
}

resource "azapi_resource" "queues" {
  for_each = toset(values(local.told_queues)[*].queue)

  type      = "Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01"
  parent_id = "${var.storage_account_id}/queueServices/default"
  name      = each.key
  body      = { properties = {} }

  response_export_values = []
}

resource "azapi_resource" "queue_subscriptions" {
  for_each = local.told_queues

  type      = "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15"
  parent_id = azapi_resource.this.id
  name      = each.key

  body = {
    properties = {
      deliveryWithResourceIdentity = {
        identity = { type = "UserAssigned", userAssignedIdentity = var.identity_id }
        destination = {
          endpointType = "StorageQueue"
          properties   = { resourceId = var.storage_account_id, queueName = each.value.queue }
        }
      }
      eventDeliverySchema = "EventGridSchema"
      filter              = local.filters[each.key]
      labels              = each.value.labels
    }
  }

  response_export_values = []

  depends_on = [azapi_resource.queues, var.grants]
}

resource "azapi_resource" "webhook_subscriptions" {
  for_each = local.told_webhooks

  type      = "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15"
  parent_id = azapi_resource.this.id
  name      = each.key

  body = {
    properties = {
      destination = {
        endpointType = "WebHook"
        properties = {
          endpointUrl                   = each.value.webhook_url
          maxEventsPerBatch             = 1
          preferredBatchSizeInKilobytes = 64
        }
      }
      eventDeliverySchema = "EventGridSchema"
      filter              = local.filters[each.key]
      labels              = each.value.labels
    }
  }

  response_export_values = []
}
