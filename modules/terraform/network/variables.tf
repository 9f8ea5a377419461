variable "resource_group_id" {
  type        = string
  description = "The id of the resource group."
}

variable "location" {
  type        = string
  description = "The region of the virtual network."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "The tags of everything that takes tags."
}

variable "virtual_network" {
  type = object({
    name          = string
    address_space = list(string)
  })
  default     = null
  description = "The virtual network to create; null where one exists, or none is wanted."

  validation {
    condition     = alltrue([for prefix in try(var.virtual_network.address_space, []) : can(cidrhost(prefix, 0))])
    error_message = "Every entry of the address space must be a prefix such as 10.0.0.0/16."
  }
}

variable "virtual_network_id" {
  type        = string
  default     = null
  description = "The id of an existing virtual network, to which DNS zones are linked."

  validation {
    condition     = var.virtual_network == null || var.virtual_network_id == null
    error_message = "Name either a virtual network to create or the id of an existing one, not both."
  }
}

variable "subnets" {
  type = map(object({
    name              = string
    prefix            = optional(string)
    id                = optional(string)
    service_endpoints = optional(list(string), [])
  }))
  default     = {}
  description = "Subnets by their use: created in the virtual network where they have a prefix, existing where they have an id."

  validation {
    condition     = alltrue([for subnet in var.subnets : (subnet.prefix == null) != (subnet.id == null)])
    error_message = "Every subnet must have either a prefix, to be created, or the id of an existing one."
  }
}

variable "dns_zones" {
  type = map(object({
    id   = optional(string)
    link = optional(string)
  }))
  default     = {}
  description = "Private DNS zones by name: existing where they have an id, else created, and linked to the network under the name of the link."
}
