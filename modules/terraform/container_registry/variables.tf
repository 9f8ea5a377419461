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
  description = "The name of the registry, unique in all of Azure."

  validation {
    condition     = can(regex("^[a-zA-Z0-9]{5,50}$", var.name))
    error_message = "The name must have 5 to 50 letters and digits."
  }
}

variable "sku" {
  type        = string
  default     = "Basic"
  description = "Basic, Standard or Premium; private endpoints need Premium."

  validation {
    condition     = contains(["Basic", "Standard", "Premium"], var.sku)
    error_message = "The SKU must be Basic, Standard or Premium."
  }
}

variable "public_network_access" {
  type        = string
  default     = "Enabled"
  description = "Whether public networks reach the registry: Enabled or Disabled."

  validation {
    condition     = contains(["Enabled", "Disabled"], var.public_network_access)
    error_message = "Public network access must be Enabled or Disabled."
  }

  validation {
    condition     = var.public_network_access == "Enabled" || var.sku == "Premium"
    error_message = "Only a Premium registry can be closed to public networks."
  }
}
