variable "resource_group_id" {
  type        = string
  description = "The id of the resource group."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "The tags of the registry."
}

variable "name" {
  type        = string
  description = "The name of the registry, unique in the tenant."

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$", var.name))
    error_message = "The name must have 3 to 33 letters, digits, hyphens and underscores, and begin with a letter or digit."
  }
}

variable "locations" {
  type        = list(string)
  description = "The regions in which assets can be used; the first is that of the registry."

  validation {
    condition     = length(var.locations) > 0 && length(distinct(var.locations)) == length(var.locations)
    error_message = "A registry needs at least one region, and each only once."
  }
}

variable "storage_sku" {
  type        = string
  default     = "Standard_LRS"
  description = "The redundancy of the storage accounts that the registry makes."
}

variable "container_registry_sku" {
  type        = string
  default     = "Premium"
  description = "The SKU of the container registries that the registry makes."
}

variable "public_network_access" {
  type        = string
  default     = "Enabled"
  description = "Whether public networks reach the registry: Enabled or Disabled."

  validation {
    condition     = contains(["Enabled", "Disabled"], var.public_network_access)
    error_message = "Public network access must be Enabled or Disabled."
  }
}
