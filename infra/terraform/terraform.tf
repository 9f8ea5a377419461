terraform {
  required_version = ">= 1.11"

  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.5"
    }
  }

  # Where the state is kept stands in a file that 'mlops-kit infra values --write' writes from the key infra.state of the
  # environment: terraform init -backend-config=backend/dev.hcl
  backend "azurerm" {}
}

provider "azapi" {
  subscription_id = var.resource_group.subscription_id
  # Else a rule, an instance type or a notification that is taken out of a map would stay: the provider looks only at
  # what a body has, and takes a body that lost something for unchanged.
  ignore_no_op_changes = false
}
