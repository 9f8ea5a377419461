resource "azapi_resource" "this" {
  type      = "Microsoft.Storage/storageAccounts@2024-01-01"
  parent_id = var.resource_group_id
  name      = var.name
  location  = var.location
  tags      = var.tags

  body = {
    kind = "StorageV2"
    sku  = { name = var.sku }
    properties = {
      supportsHttpsTrafficOnly     = true
      minimumTlsVersion            = "TLS1_2"
      allowBlobPublicAccess        = false
      allowSharedKeyAccess         = var.shared_keys
      defaultToOAuthAuthentication = var.shared_keys ? null : true
      publicNetworkAccess          = var.firewall.public_network_access
      networkAcls = {
        bypass              = "AzureServices"
        defaultAction       = var.firewall.default_action
        ipRules             = [for address in var.firewall.ip_rules : { value = address, action = "Allow" }]
        virtualNetworkRules = [for id in var.firewall.subnet_ids : { id = id, action = "Allow" }]
      }
    }
  }

  ignore_null_property   = true
  response_export_values = { blob_endpoint = "properties.primaryEndpoints.blob" }
}
