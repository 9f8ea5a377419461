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
  description = "The name of the vault, unique in all of Azure."

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "The name must have 3 to 24 letters, digits and single hyphens, begin with a letter and not end in a hyphen."
  }
}

variable "sku" {
  type        = string
  default     = "standard"
  description = "Whether keys are kept in software (standard) or in hardware (premium)."

  validation {
    condition     = contains(["standard", "premium"], var.sku)
    error_message = "The SKU must be standard or premium."
  }
}

variable "tenant_id" {
  type        = string
  default     = null
  description = "The tenant whose identities the vault knows; null for that of whoever runs Terraform."
}

variable "rbac" {
  type        = bool
  default     = true
  description = "Whether roles give access to what is in the vault; without them access policies do."
}

variable "access_policies" {
  type = map(object({
    principal_id = string
    keys         = optional(list(string), [])
    secrets      = optional(list(string), [])
    certificates = optional(list(string), [])
  }))
  default     = {}
  description = "What each principal may do with keys, secrets and certificates, where roles do not say it."

  validation {
    condition     = !var.rbac || length(var.access_policies) == 0
    error_message = "A vault with roles has no access policies."
  }
}

variable "soft_delete_days" {
  type        = number
  default     = 90
  description = "For how many days a deleted vault and what is in it can be restored. It cannot be changed afterwards."

  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 90
    error_message = "A deleted vault is kept for 7 to 90 days."
  }
}

variable "purge_protection" {
  type        = bool
  default     = true
  description = "Whether nobody can purge what was deleted before its days are over. It cannot be switched off afterwards."
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
