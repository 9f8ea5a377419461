mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location          = "westeurope"
  name              = "stshop"
  firewall          = { public_network_access = "Disabled", default_action = "Deny" }
}

run "public_blobs_and_old_tls_are_off" {
  command = plan

  assert {
    condition     = azapi_resource.this.body.properties.allowBlobPublicAccess == false && azapi_resource.this.body.properties.minimumTlsVersion == "TLS1_2"
    error_message = "Blobs must be private and TLS at least 1.2."
  }
}

run "shared_keys_are_off_unless_asked_for" {
  command = plan

  assert {
    condition     = azapi_resource.this.body.properties.allowSharedKeyAccess == false && azapi_resource.this.body.properties.defaultToOAuthAuthentication == true
    error_message = "Only identities may have access."
  }
}

run "days_are_left_out_where_deletion_is_at_once" {
  command = plan

  assert {
    condition     = azapi_update_resource.blobs.body.properties.deleteRetentionPolicy == { enabled = false }
    error_message = "A policy that is off must have no days."
  }
}

run "days_switch_soft_deletion_on" {
  command = plan

  variables {
    blob_soft_delete_days = 7
  }

  assert {
    condition     = azapi_update_resource.blobs.body.properties.deleteRetentionPolicy == { enabled = true, days = 7 }
    error_message = "The policy must be on."
  }
}

run "a_name_with_a_hyphen_is_refused" {
  command = plan

  variables {
    name = "st-shop"
  }

  expect_failures = [var.name]
}
