resource "azapi_resource" "compute" {
  type      = "Microsoft.MachineLearningServices/workspaces/computes@2025-12-01"
  parent_id = var.workspace_id
  name      = var.compute_name
  location  = var.location
  tags      = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity_id]
  }

  body = {
    properties = {
      computeType = "Kubernetes"
      resourceId  = local.cluster_id
      properties = {
        namespace           = var.namespace
        defaultInstanceType = var.default_instance_type
        instanceTypes = {
          for name, one in var.instance_types :
          name => {
            nodeSelector = one.node_selector
            resources = {
              requests = { cpu = one.cpu, memory = one.memory }
              limits = {
                for resource, quantity in { cpu = one.cpu, memory = one.memory, "nvidia.com/gpu" = one.gpu } :
                resource => quantity if quantity != "0"
              }
            }
          }
        }
      }
    }
  }

  replace_triggers_refs  = ["properties.resourceId", "properties.properties.namespace"]
  response_export_values = []

  depends_on = [azapi_resource.extension, var.private_endpoints]
}
