locals {
  # Made of names, and so known before an identity is there, and after somebody has deleted it.
  ids = {
    for key, name in var.identities :
    key => "${var.resource_group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}"
  }
}

resource "azapi_resource" "this" {
  for_each = var.identities

  type      = "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31"
  parent_id = var.resource_group_id
  name      = each.value
  location  = var.location
  tags      = var.tags
  body      = {}

  response_export_values = {
    principal_id = "properties.principalId"
    client_id    = "properties.clientId"
  }
}
