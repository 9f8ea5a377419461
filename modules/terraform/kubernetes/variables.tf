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

variable "workspace_id" {
  type        = string
  description = "The id of the workspace that the cluster is attached to."
}

variable "cluster" {
  type = object({
    name            = string
    dns_prefix      = string
    version         = optional(string)
    tier            = optional(string, "Free")
    private_cluster = optional(bool, false)
    node_pools = map(object({
      size          = string
      mode          = optional(string, "System")
      min_instances = number
      max_instances = number
    }))
  })
  default     = null
  description = "The AKS cluster to create, with its node pools by name; null where one exists."

  validation {
    condition     = var.cluster == null ? true : anytrue([for pool in var.cluster.node_pools : pool.mode == "System"])
    error_message = "A cluster needs a node pool of mode System."
  }

  validation {
    condition     = alltrue([for pool in try(var.cluster.node_pools, {}) : pool.min_instances <= pool.max_instances])
    error_message = "A node pool must not have more nodes at least than it has at most."
  }

  validation {
    condition     = alltrue([for name in keys(try(var.cluster.node_pools, {})) : can(regex("^[a-z][a-z0-9]{0,11}$", name))])
    error_message = "A node pool's name must have 1 to 12 lower-case letters and digits and begin with a letter."
  }
}

variable "cluster_id" {
  type        = string
  default     = null
  description = "The id of an existing cluster."

  validation {
    condition     = (var.cluster == null) != (var.cluster_id == null)
    error_message = "Name either a cluster to create or the id of an existing one."
  }
}

variable "extension" {
  type = object({
    name     = string
    settings = map(string)
  })
  description = "The Azure ML extension of the cluster: its name and its own settings, as text."
}

variable "compute_name" {
  type        = string
  description = "The name under which jobs and endpoints use the cluster."

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{0,14}[a-zA-Z0-9]$", var.compute_name))
    error_message = "The name of attached compute must have 2 to 16 letters, digits and hyphens and begin with a letter."
  }
}

variable "namespace" {
  type        = string
  default     = "default"
  description = "The namespace of the cluster in which jobs run."
}

variable "identity_id" {
  type        = string
  description = "The id of the user-assigned identity that jobs act as."
}

variable "instance_types" {
  type = map(object({
    cpu           = string
    memory        = string
    gpu           = optional(string, "0")
    node_selector = optional(map(string), {})
  }))
  description = "What jobs can ask for, by name, in Kubernetes' quantities."
}

variable "default_instance_type" {
  type        = string
  description = "What a job gets that asks for nothing."

  validation {
    condition     = contains(keys(var.instance_types), var.default_instance_type)
    error_message = "The default instance type must be one of the instance types."
  }
}

variable "private_endpoints" {
  type        = any
  default     = {}
  description = "The private endpoints of the workspace: they are waited for."
}
