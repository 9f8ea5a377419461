output "identities" {
  value = {
    for key, identity in azapi_resource.this :
    key => {
      id           = identity.id
      principal_id = identity.output.principal_id
      client_id    = identity.output.client_id
    }
  }
  description = "The identities by key: id, principal id and client id."
}

output "identity_ids" {
  value       = { for key, identity in azapi_resource.this : key => identity.id }
  description = "The ids of the identities by key."
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
