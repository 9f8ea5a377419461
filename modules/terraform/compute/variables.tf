variable "workspace_id" {
  type        = string
  description = "The id of the workspace."
}

variable "location" {
  type        = string
  description = "The region of the workspace."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "The tags of everything that takes tags."
}

variable "identity_ids" {
  type        = map(string)
  default     = {}
  description = "The ids of the user-assigned identities, by the key that clusters and instances use."
}

variable "subnet_ids" {
  type        = map(string)
  default     = {}
  description = "The ids of the subnets, by the key that clusters and instances use."
}

variable "clusters" {
  type = map(object({
    size                        = string
    tier                        = optional(string, "Dedicated")
    min_instances               = optional(number, 0)
    max_instances               = number
    idle_time_before_scale_down = optional(string, "PT120S")
    identity                    = optional(string)
    subnet                      = optional(string)
    subnet_id                   = optional(string)
    public_ip                   = optional(bool, true)
    ssh                         = optional(object({ user = string, public_key = string }))
  }))
  default     = {}
  description = "Compute clusters by name. The identity is a key of `identity_ids`, `system` or null; the subnet is a key of `subnet_ids`, or an id; times are ISO 8601 durations."

  validation {
    condition     = alltrue([for cluster in var.clusters : cluster.min_instances <= cluster.max_instances])
    error_message = "A cluster must not have more nodes at least than it has at most."
  }

  validation {
    condition     = alltrue([for cluster in var.clusters : contains(["Dedicated", "LowPriority"], cluster.tier)])
    error_message = "The tier of a cluster must be Dedicated or LowPriority."
  }

  validation {
    condition     = alltrue([for name in keys(var.clusters) : can(regex("^[a-zA-Z][a-zA-Z0-9-]{1,31}$", name)) && !can(regex("-[0-9]+$", name))])
    error_message = "A cluster's name must have 2 to 32 letters, digits and hyphens, begin with a letter and not end in a hyphen and digits."
  }
}

variable "instances" {
  type = map(object({
    size                      = string
    idle_time_before_shutdown = optional(string)
    identity                  = optional(string)
    subnet                    = optional(string)
    subnet_id                 = optional(string)
    public_ip                 = optional(bool, true)
    ssh_public_key            = optional(string)
    assigned_user             = optional(object({ tenant_id = string, object_id = string }))
    creation_script           = optional(object({ data = string, arguments = optional(string), timeout = string }))
    startup_script            = optional(object({ data = string, arguments = optional(string), timeout = string }))
    schedules                 = optional(list(object({ action = string, cron = string, time_zone = string })), [])
  }))
  default     = {}
  description = "Compute instances by name; scripts are in base64, schedules start and stop at the times of a cron expression."

  validation {
    condition     = alltrue([for name in keys(var.instances) : can(regex("^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$", name))])
    error_message = "An instance's name must have 3 to 24 letters, digits and hyphens, begin with a letter and not end in a hyphen."
  }

  validation {
    condition     = alltrue(flatten([for instance in var.instances : [for one in instance.schedules : contains(["Start", "Stop"], one.action)]]))
    error_message = "The action of a schedule must be Start or Stop."
  }
}

variable "private_endpoints" {
  type        = any
  default     = {}
  description = "The private endpoints of the workspace: they are waited for."
}
