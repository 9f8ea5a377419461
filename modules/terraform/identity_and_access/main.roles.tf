resource "azapi_resource" "custom_roles" {
  for_each = var.custom_roles

  type      = "Microsoft.Authorization/roleDefinitions@2022-04-01"
  parent_id = var.resource_group_id
  name      = each.value.guid

  body = {
    properties = {
      roleName         = each.value.role_name
      description      = each.value.description
      type             = "CustomRole"
      assignableScopes = each.value.assignable_scopes
      permissions      = [{ actions = each.value.actions, notActions = each.value.not_actions }]
    }
  }

  response_export_values = []
}

locals {
  # The workspace works with its grants from its first moment, so they come before it; grants at the workspace cannot.
  grants           = { for key, one in var.role_assignments : key => one if one.scope != "workspace" }
  workspace_grants = { for key, one in var.role_assignments : key => one if one.scope == "workspace" }
  # What the directory says until its copies agree; a built-in role is everywhere, so its absence is a mistake.
  replication = {
    for key, one in var.role_assignments :
    key => concat(["PrincipalNotFound"], one.custom_role == null ? [] : ["RoleDefinitionDoesNotExist"])
  }
  assignments = {
    for key, one in var.role_assignments :
    key => {
      # A refresh, too, comes by here, after somebody has deleted the identity.
      principalId      = one.identity == null ? one.principal_id : try(azapi_resource.this[one.identity].output.principal_id, null)
      principalType    = one.principal_type
      roleDefinitionId = one.role_definition_id
    }
  }
}

resource "azapi_resource" "role_assignments" {
  for_each = local.grants

  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = each.value.scope_id
  name      = each.value.name
  body      = { properties = local.assignments[each.key] }

  # An identity that was deleted and made again is another principal, and that of an assignment cannot change.
  replace_triggers_external_values = each.value.identity == null ? null : try(azapi_resource.this[each.value.identity].id, null)

  retry = {
    error_message_regex  = local.replication[each.key]
    interval_seconds     = 5
    max_interval_seconds = 30
  }
  response_export_values = []

  timeouts {
    create = "5m"
  }

  depends_on = [azapi_resource.custom_roles, var.scope_ids]
}

resource "azapi_resource" "workspace_role_assignments" {
  for_each = local.workspace_grants

  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  parent_id = each.value.scope_id
  name      = each.value.name
  body      = { properties = local.assignments[each.key] }

  # An identity that was deleted and made again is another principal, and that of an assignment cannot change.
  replace_triggers_external_values = each.value.identity == null ? null : try(azapi_resource.this[each.value.identity].id, null)

  retry = {
    error_message_regex  = local.replication[each.key]
    interval_seconds     = 5
    max_interval_seconds = 30
  }
  response_export_values = []

  timeouts {
    create = "5m"
  }

  depends_on = [azapi_resource.custom_roles, var.workspace_id]
}
