locals {
  outbound_rules = merge(
    {
      for name, rule in var.outbound_rules :
      name => { type = "FQDN", category = "UserDefined", destination = rule.fqdn } if rule.type == "FQDN"
    },
    {
      for name, rule in var.outbound_rules :
      name => {
        type        = "ServiceTag"
        category    = "UserDefined"
        destination = { serviceTag = rule.service_tag, protocol = rule.protocol, portRanges = rule.port_ranges }
      } if rule.type == "ServiceTag"
    },
  )
}

resource "azapi_resource" "this" {
  type      = "Microsoft.MachineLearningServices/workspaces@2025-12-01"
  parent_id = var.resource_group_id
  name      = var.name
  location  = var.location
  tags      = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity_id]
  }

  body = {
    kind = "Default"
    sku  = { name = "Basic", tier = "Basic" }
    properties = {
      friendlyName                = var.friendly_name
      description                 = var.description
      storageAccount              = var.storage_account_id
      keyVault                    = var.key_vault_id
      applicationInsights         = var.application_insights_id
      containerRegistry           = var.container_registry_id
      primaryUserAssignedIdentity = var.identity_id
      systemDatastoresAuthMode    = var.datastore_auth
      imageBuildCompute           = var.image_build_compute
      publicNetworkAccess         = var.public_network_access
      managedNetwork = var.isolation_mode == "Disabled" ? null : {
        isolationMode        = var.isolation_mode
        enableNetworkMonitor = false
        outboundRules        = length(local.outbound_rules) == 0 ? null : local.outbound_rules
      }
      serverlessComputeSettings = var.serverless.subnet_id == null && !var.serverless.no_public_ip ? null : {
        serverlessComputeCustomSubnet = var.serverless.subnet_id
        serverlessComputeNoPublicIP   = var.serverless.no_public_ip
      }
      encryption = var.customer_managed_key == null ? null : {
        status   = "Enabled"
        identity = { userAssignedIdentity = var.identity_id }
        keyVaultProperties = {
          keyVaultArmId = var.customer_managed_key.vault_id
          keyIdentifier = var.customer_managed_key.key_id
        }
      }
    }
  }

  ignore_null_property   = true
  replace_triggers_refs  = ["properties.storageAccount", "properties.keyVault", "properties.encryption.status"]
  response_export_values = { workspace_id = "properties.workspaceId", discovery_url = "properties.discoveryUrl" }

  depends_on = [var.grants]
}
