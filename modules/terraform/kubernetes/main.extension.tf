resource "azapi_resource" "extension" {
  type      = "Microsoft.KubernetesConfiguration/extensions@2024-11-01"
  parent_id = local.cluster_id
  name      = var.extension.name

  identity {
    type = "SystemAssigned"
  }

  body = {
    properties = {
      extensionType           = "microsoft.azureml.kubernetes"
      autoUpgradeMinorVersion = true
      releaseTrain            = "Stable"
      scope                   = { cluster = { releaseNamespace = "azureml" } }
      configurationSettings   = var.extension.settings
    }
  }

  response_export_values = []
}
