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
  description = "The name of the workspace."

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$", var.name))
    error_message = "The name must have 3 to 33 letters, digits, hyphens and underscores, and begin with a letter or digit."
  }
}

variable "friendly_name" {
  type        = string
  default     = null
  description = "The name that people are shown."
}

variable "description" {
  type        = string
  default     = null
  description = "What the workspace is for."
}

variable "identity_id" {
  type        = string
  description = "The id of the user-assigned identity that the workspace acts as."
}

variable "grants" {
  type        = any
  default     = {}
  description = "What the identity must be granted before: it is waited for."
}

variable "storage_account_id" {
  type        = string
  description = "The id of the storage account of the workspace."
}

variable "key_vault_id" {
  type        = string
  description = "The id of the vault of the workspace."
}

variable "application_insights_id" {
  type        = string
  description = "The id of the Application Insights component of the workspace."
}

variable "container_registry_id" {
  type        = string
  default     = null
  description = "The id of the registry of images; without one the service makes its own with the first image."
}

variable "datastore_auth" {
  type        = string
  default     = "identity"
  description = "How the workspace's own datastores are reached: accessKey or identity."

  validation {
    condition     = contains(["accessKey", "identity"], var.datastore_auth)
    error_message = "The workspace's own datastores are reached by accessKey or identity."
  }
}

variable "image_build_compute" {
  type        = string
  default     = null
  description = "The name of the cluster that builds images, for a registry that is closed to public networks."
}

variable "public_network_access" {
  type        = string
  default     = "Enabled"
  description = "Whether public networks reach the workspace: Enabled or Disabled."

  validation {
    condition     = contains(["Enabled", "Disabled"], var.public_network_access)
    error_message = "Public network access must be Enabled or Disabled."
  }
}

variable "isolation_mode" {
  type        = string
  default     = "Disabled"
  description = "The managed network of compute: Disabled, AllowInternetOutbound or AllowOnlyApprovedOutbound."

  validation {
    condition     = contains(["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"], var.isolation_mode)
    error_message = "The isolation mode must be Disabled, AllowInternetOutbound or AllowOnlyApprovedOutbound."
  }
}

variable "outbound_rules" {
  type = map(object({
    type        = string
    fqdn        = optional(string)
    service_tag = optional(string)
    protocol    = optional(string)
    port_ranges = optional(string)
  }))
  default     = {}
  description = "What compute in the managed network may reach, by name: an FQDN, or a ServiceTag with protocol and port ranges."

  validation {
    condition     = alltrue([for rule in var.outbound_rules : contains(["FQDN", "ServiceTag"], rule.type)])
    error_message = "An outbound rule must be of type FQDN or ServiceTag."
  }

  validation {
    condition     = length(var.outbound_rules) == 0 || var.isolation_mode != "Disabled"
    error_message = "Outbound rules need a managed network: set the isolation mode."
  }
}

variable "serverless" {
  type = object({
    subnet_id    = optional(string)
    no_public_ip = optional(bool, false)
  })
  default     = {}
  description = "Compute of jobs that name none: its subnet, and whether it does without a public address."
}

variable "customer_managed_key" {
  type = object({
    vault_id = string
    key_id   = string
  })
  default     = null
  description = "The key that encrypts what the workspace stores; null for a key of Microsoft's."
}

variable "private_endpoints" {
  type = map(object({
    name      = string
    target    = string
    group_id  = string
    dns_zones = list(string)
  }))
  default     = {}
  description = "Private addresses by key. The target is `workspace` or a key of `private_link_ids`; the zones are keys of `dns_zone_ids`."

  validation {
    condition     = length(var.private_endpoints) == 0 || var.private_endpoint_subnet_id != null
    error_message = "Private endpoints need a subnet."
  }
}

variable "private_endpoint_subnet_id" {
  type        = string
  default     = null
  description = "The id of the subnet of the private endpoints."
}

variable "private_link_ids" {
  type        = map(string)
  default     = {}
  description = "The ids of the services that get a private address in the workspace's network: storage, key_vault, container_registry."
}

variable "dns_zone_ids" {
  type        = map(string)
  default     = {}
  description = "The ids of the private DNS zones by name."
}
