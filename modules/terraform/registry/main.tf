resource "azapi_resource" "this" {
  type      = "Microsoft.MachineLearningServices/registries@2025-12-01"
  parent_id = var.resource_group_id
  name      = var.name
  location  = var.locations[0]
  tags      = var.tags

  identity {
    type = "SystemAssigned"
  }

  body = {
    properties = {
      publicNetworkAccess = var.public_network_access
      regionDetails = [
        for location in var.locations : {
          location = location
          storageAccountDetails = [{
            systemCreatedStorageAccount = {
              storageAccountType       = var.storage_sku
              storageAccountHnsEnabled = false
              allowBlobPublicAccess    = false
            }
          }]
          acrDetails = [{
            systemCreatedAcrAccount = { acrAccountSku = var.container_registry_sku }
          }]
        }
      ]
    }
  }

  list_unique_id_property = { "properties.regionDetails" = "location" }
  response_export_values  = []
}
