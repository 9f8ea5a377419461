variable "resource_group_id" {
  type        = string
  description = "The id of the resource group."
}

variable "location" {
  type        = string
  description = "The region."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "The tags of everything that takes tags."
}

variable "name" {
  type        = string
  description = "The name of the account, unique in all of Azure."

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.name))
    error_message = "The name must have 3 to 24 lower-case letters and digits."
  }
}

variable "sku" {
  type        = string
  default     = "Standard_LRS"
  description = "The redundancy of the account, such as Standard_LRS or Standard_ZRS."
}

variable "containers" {
  type        = list(string)
  default     = []
  description = "The names of the blob containers."

  validation {
    condition     = alltrue([for name in var.containers : can(regex("^[a-z0-9](-?[a-z0-9]){2,62}$", name))])
    error_message = "A container's name must have 3 to 63 lower-case letters, digits and single hyphens between them."
  }
}

variable "versioning" {
  type        = bool
  default     = false
  description = "Whether earlier versions of blobs are kept."
}

variable "blob_soft_delete_days" {
  type        = number
  default     = null
  description = "For how many days deleted blobs can be restored; null deletes at once."

  validation {
    condition     = var.blob_soft_delete_days == null ? true : var.blob_soft_delete_days >= 1 && var.blob_soft_delete_days <= 365
    error_message = "Deleted blobs are kept for 1 to 365 days."
  }
}

variable "container_soft_delete_days" {
  type        = number
  default     = null
  description = "For how many days deleted containers can be restored; null deletes at once."

  validation {
    condition     = var.container_soft_delete_days == null ? true : var.container_soft_delete_days >= 1 && var.container_soft_delete_days <= 365
    error_message = "Deleted containers are kept for 1 to 365 days."
  }
}

variable "shared_keys" {
  type        = bool
  default     = false
  description = "Whether account keys give access; without them every caller needs an identity."
}

variable "firewall" {
  type = object({
    public_network_access = string
    default_action        = string
    ip_rules              = optional(list(string), [])
    subnet_ids            = optional(list(string), [])
  })
  description = "Who reaches the service: from public networks at all, from where by default, and which addresses and subnets besides."

  validation {
    condition     = contains(["Enabled", "Disabled"], var.firewall.public_network_access)
    error_message = "Public network access must be Enabled or Disabled."
  }

  validation {
    condition     = contains(["Allow", "Deny"], var.firewall.default_action)
    error_message = "The default action must be Allow or Deny."
  }
}
