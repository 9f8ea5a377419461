output "identity_ids" {
  value       = local.ids
  description = "The ids of the identities by key."
  depends_on  = [azapi_resource.this]
}

output "identity_principal_ids" {
  value       = { for key, identity in azapi_resource.this : key => identity.output.principal_id }
  description = "The principal ids of the identities by key: what role assignments name."
}

output "identity_client_ids" {
  value       = { for key, identity in azapi_resource.this : key => identity.output.client_id }
  description = "The client ids of the identities by key: what programs sign in with."
}

output "custom_role_ids" {
  value       = { for key, role in azapi_resource.custom_roles : key => var.custom_roles[key].id }
  description = "The ids by which role assignments refer to the custom roles, by key."
}

output "grant_ids" {
  value       = { for key, one in azapi_resource.role_assignments : key => one.id }
  description = "The ids of the role assignments that the workspace needs before it is created."
}

output "last_ids" {
  value = concat(
    values(azapi_resource.workspace_role_assignments)[*].id,
    values(azapi_resource.federated_credentials)[*].id,
  )
  description = "The ids of what is created last: federated credentials, and role assignments at the workspace."
}
