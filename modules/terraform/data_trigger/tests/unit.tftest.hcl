mock_provider "azapi" {}

variables {
  resource_group_id  = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location           = "westeurope"
  topic              = "evgt-shop"
  storage_account_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st"
  identity_id        = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
  triggers = {
    new-data = {
      subject_begins_with = "/blobServices/default/containers/data/blobs/training/"
      event_types         = ["Microsoft.Storage.BlobCreated"]
      queue               = "new-data"
    }
  }
}

run "a_queue_is_written_to_by_the_identity" {
  command = plan

  assert {
    condition     = azapi_resource.queue_subscriptions["new-data"].body.properties.deliveryWithResourceIdentity.destination.endpointType == "StorageQueue"
    error_message = "The identity must deliver to the queue."
  }
}

run "only_blobs_below_the_prefix_count" {
  command = plan

  assert {
    condition     = azapi_resource.queue_subscriptions["new-data"].body.properties.filter.subjectBeginsWith == "/blobServices/default/containers/data/blobs/training/"
    error_message = "The filter must have the prefix."
  }
}

run "a_trigger_without_a_destination_is_refused" {
  command = plan

  variables {
    triggers = {
      new-data = {
        subject_begins_with = "/blobServices/default/containers/data/"
        event_types         = ["Microsoft.Storage.BlobCreated"]
      }
    }
  }

  expect_failures = [var.triggers]
}
