resource "azapi_resource" "this" {
  count = var.cluster == null ? 0 : 1

  type      = "Microsoft.ContainerService/managedClusters@2025-09-01"
  parent_id = var.resource_group_id
  name      = var.cluster.name
  location  = var.location
  tags      = var.tags

  identity {
    type = "SystemAssigned"
  }

  body = {
    sku = { name = "Base", tier = var.cluster.tier }
    properties = {
      dnsPrefix              = var.cluster.dns_prefix
      kubernetesVersion      = var.cluster.version
      enableRBAC             = true
      apiServerAccessProfile = { enablePrivateCluster = var.cluster.private_cluster }
      # Without a count: it is the autoscaler's, and would be drift after its first step.
      agentPoolProfiles = [
        for name, pool in var.cluster.node_pools : {
          name              = name
          vmSize            = pool.size
          mode              = pool.mode
          osType            = "Linux"
          type              = "VirtualMachineScaleSets"
          enableAutoScaling = true
          minCount          = pool.min_instances
          maxCount          = pool.max_instances
        }
      ]
    }
  }

  ignore_null_property   = true
  replace_triggers_refs  = ["properties.dnsPrefix", "properties.apiServerAccessProfile.enablePrivateCluster"]
  response_export_values = { node_resource_group = "properties.nodeResourceGroup" }
}

locals {
  cluster_id = one(concat(azapi_resource.this[*].id, var.cluster_id[*]))
}
