terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

data "azapi_client_config" "me" {}

module "resource_group" {
  source = "../../../resource_group"

  subscription_id = data.azapi_client_config.me.subscription_id
  name            = "rg-example-access"
  location        = "westeurope"
}

module "identity_and_access" {
  source = "../.."

  resource_group_id = module.resource_group.id
  location          = module.resource_group.location
  identities        = { deployment = "id-example-deployment" }

  federated_credentials = {
    dev = {
      name      = "github-dev"
      identity  = "deployment"
      issuer    = "https://token.actions.githubusercontent.com"
      subject   = "repo:acme/shop:environment:dev"
      audiences = ["api://AzureADTokenExchange"]
    }
  }

  role_assignments = {
    reader = {
      name               = uuidv5("url", "${module.resource_group.id}/deployment/reader")
      scope              = "id"
      scope_id           = module.resource_group.id
      identity           = "deployment"
      principal_type     = "ServicePrincipal"
      role_definition_id = "/subscriptions/${data.azapi_client_config.me.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    }
  }
}
