# Where the state of prod is kept: a storage account that is made once by hand and is no part of what it keeps.
# Access is by identity; whoever applies needs "Storage Blob Data Contributor" on the container.
resource_group_name  = "rg-mlops-kit-state"
storage_account_name = "stmlopskitstate"
container_name       = "tfstate"
key                  = "prod.tfstate"
use_azuread_auth     = true
