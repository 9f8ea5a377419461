locals {
  scripts = {
    for name, instance in var.instances :
    name => {
      for key, script in { creationScript = instance.creation_script, startupScript = instance.startup_script } :
      key => {
        scriptSource    = "inline"
        scriptData      = script.data
        scriptArguments = script.arguments
        timeout         = script.timeout
      } if script != null
    }
  }
}

resource "azapi_resource" "instances" {
  for_each = var.instances

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
      computeType = "ComputeInstance"
      properties = {
        vmSize                 = each.value.size
        enableSSO              = true
        idleTimeBeforeShutdown = each.value.idle_time_before_shutdown
        subnet                 = local.subnets[each.key] == null ? null : { id = local.subnets[each.key] }
        enableNodePublicIp     = each.value.public_ip
        sshSettings = {
          sshPublicAccess = each.value.ssh_public_key == null ? "Disabled" : "Enabled"
          adminPublicKey  = each.value.ssh_public_key
        }
        computeInstanceAuthorizationType = each.value.assigned_user == null ? null : "personal"
        personalComputeInstanceSettings = each.value.assigned_user == null ? null : {
          assignedUser = {
            tenantId = each.value.assigned_user.tenant_id
            objectId = each.value.assigned_user.object_id
          }
        }
        setupScripts = length(local.scripts[each.key]) == 0 ? null : { scripts = local.scripts[each.key] }
        schedules = length(each.value.schedules) == 0 ? null : {
          computeStartStop = [
            for one in each.value.schedules : {
              action      = one.action
              status      = "Enabled"
              triggerType = "Cron"
              cron        = { expression = one.cron, timeZone = one.time_zone }
            }
          ]
        }
      }
    }
  }

  ignore_null_property = true
  # Only its schedules, the idle time and tags change in place.
  replace_triggers_refs = [
    "properties.properties.vmSize",
    "properties.properties.subnet.id",
    "properties.properties.enableNodePublicIp",
    "properties.properties.sshSettings",
    "properties.properties.personalComputeInstanceSettings",
    "properties.properties.setupScripts",
  ]
  response_export_values = []

  depends_on = [var.private_endpoints]
}
