mock_provider "azapi" {}

variables {
  resource_group_id       = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  location                = "westeurope"
  name                    = "mlw-shop"
  identity_id             = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
  storage_account_id      = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st"
  key_vault_id            = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv"
  application_insights_id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/appi"
}

run "no_managed_network_unless_isolation_is_wanted" {
  command = plan

  assert {
    condition     = azapi_resource.this.body.properties.managedNetwork == null && azapi_resource.this.body.properties.serverlessComputeSettings == null && azapi_resource.this.body.properties.encryption == null
    error_message = "What is not wanted must be left out."
  }
}

run "a_service_tag_is_an_outbound_rule" {
  command = plan

  variables {
    isolation_mode = "AllowOnlyApprovedOutbound"
    outbound_rules = {
      monitor = { type = "ServiceTag", service_tag = "AzureMonitor", protocol = "TCP", port_ranges = "443" }
      pypi    = { type = "FQDN", fqdn = "pypi.org" }
    }
  }

  assert {
    condition     = azapi_resource.this.body.properties.managedNetwork.outboundRules["monitor"].destination.serviceTag == "AzureMonitor"
    error_message = "The rule must name the tag."
  }
}

run "an_own_key_encrypts_the_workspace" {
  command = plan

  variables {
    customer_managed_key = { vault_id = "/subscriptions/s/v", key_id = "https://v/keys/k/1" }
  }

  assert {
    condition     = azapi_resource.this.body.properties.encryption.keyVaultProperties.keyIdentifier == "https://v/keys/k/1"
    error_message = "The key must be the customer's."
  }
}

run "an_endpoint_without_a_subnet_is_refused" {
  command = plan

  variables {
    private_endpoints = {
      workspace = { name = "pe", target = "workspace", group_id = "amlworkspace", dns_zones = [] }
    }
  }

  expect_failures = [var.private_endpoints]
}
