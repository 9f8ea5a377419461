resource "azapi_resource" "federated_credentials" {
  for_each = var.federated_credentials

  type      = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31"
  parent_id = azapi_resource.this[each.value.identity].id
  name      = each.value.name

  body = {
    properties = {
      issuer    = each.value.issuer
      subject   = each.value.subject
      audiences = each.value.audiences
    }
  }

  # The service refuses two writes to one identity at the same time.
  locks                  = [azapi_resource.this[each.value.identity].id]
  response_export_values = []
}
