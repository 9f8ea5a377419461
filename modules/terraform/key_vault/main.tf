data "azapi_client_config" "this" {
  count = var.tenant_id == null ? 1 : 0
}

locals {
  tenant_id = var.tenant_id != null ? var.tenant_id : data.azapi_client_config.this[0].tenant_id
  policies = [for policy in var.access_policies : {
    tenantId    = local.tenant_id
    objectId    = policy.principal_id
    permissions = { keys = policy.keys, secrets = policy.secrets, certificates = policy.certificates }
  }]
}

resource "azapi_resource" "this" {
  type      = "Microsoft.KeyVault/vaults@2024-11-01"
  parent_id = var.resource_group_id
  name      = var.name
  location  = var.location
  tags      = var.tags

  body = {
    properties = {
      sku                       = { family = "A", name = var.sku }
      tenantId                  = local.tenant_id
      enableRbacAuthorization   = var.rbac
      accessPolicies            = var.rbac ? null : local.policies
      enableSoftDelete          = true
      softDeleteRetentionInDays = var.soft_delete_days
      enablePurgeProtection     = var.purge_protection ? true : null # the service refuses false
      # Virtual machines and templates have no business in it.
      enabledForDeployment         = false
      enabledForDiskEncryption     = false
      enabledForTemplateDeployment = false

      publicNetworkAccess = var.firewall.public_network_access
      networkAcls = {
        bypass              = "AzureServices"
        defaultAction       = var.firewall.default_action
        ipRules             = [for address in var.firewall.ip_rules : { value = address }]
        virtualNetworkRules = [for id in var.firewall.subnet_ids : { id = id }]
      }
    }
  }

  ignore_null_property   = true
  response_export_values = { uri = "properties.vaultUri" }
}
