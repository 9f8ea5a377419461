locals {
  # Where each compute is and as whom it acts, from whichever way it is said.
  subnets = {
    for name, one in merge(var.clusters, var.instances) :
    name => one.subnet_id != null ? one.subnet_id : one.subnet == null ? null : var.subnet_ids[one.subnet]
  }
  identities = {
    for name, one in merge(var.clusters, var.instances) :
    name => one.identity == null || one.identity == "system" ? [] : [var.identity_ids[one.identity]]
  }
}

resource "azapi_resource" "this" {
  for_each = var.clusters

  type      = "Microsoft.MachineLearningServices/workspaces/computes@2025-12-01"
  parent_id = var.workspace_id
  name      = each.key
  location  = var.location
  tags      = var.tags

  dynamic "identity" {
    for_each = each.value.identity[*]
    content {
      type         = identity.value == "system" ? "SystemAssigned" : "UserAssigned"
      identity_ids = local.identities[each.key]
    }
  }

  body = {
    properties = {
      computeType = "AmlCompute"
      properties = {
        osType     = "Linux"
        vmSize     = each.value.size
        vmPriority = each.value.tier
        scaleSettings = {
          minNodeCount                = each.value.min_instances
          maxNodeCount                = each.value.max_instances
          nodeIdleTimeBeforeScaleDown = each.value.idle_time_before_scale_down
        }
        subnet                      = local.subnets[each.key] == null ? null : { id = local.subnets[each.key] }
        enableNodePublicIp          = each.value.public_ip
        remoteLoginPortPublicAccess = each.value.ssh == null ? "Disabled" : "Enabled"
        userAccountCredentials = each.value.ssh == null ? null : {
          adminUserName         = each.value.ssh.user
          adminUserSshPublicKey = each.value.ssh.public_key
        }
      }
    }
  }

  ignore_null_property = true
  # Nodes, identity and tags change in place; the rest is for life.
  replace_triggers_refs = [
    "properties.properties.vmSize",
    "properties.properties.vmPriority",
    "properties.properties.subnet.id",
    "properties.properties.enableNodePublicIp",
    "properties.properties.remoteLoginPortPublicAccess",
    "properties.properties.userAccountCredentials",
  ]
  response_export_values = []

  depends_on = [var.private_endpoints]
}
