terraform {
  required_version = ">= 1.11"

  required_providers {
    azapi = {
      source  = "Azure/azapi"
      version = "~> 2.5"
    }
  }

  # Where the state is kept stands in backend/<environment>.hcl: terraform init -backend-config=backend/dev.hcl
  backend "azurerm" {}
}

provider "azapi" {
  subscription_id = var.resource_group.subscription_id
}
