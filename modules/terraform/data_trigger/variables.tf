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

variable "topic" {
  type        = string
  description = "The name of the topic of the storage account."

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{3,128}$", var.topic))
    error_message = "The name of a topic must have 3 to 128 letters, digits and hyphens."
  }
}

variable "storage_account_id" {
  type        = string
  description = "The id of the storage account whose blobs start something."
}

variable "identity_id" {
  type        = string
  description = "The id of the user-assigned identity that writes to the queues."
}

variable "grants" {
  type        = any
  default     = {}
  description = "What the identity must be granted before: it is waited for."
}

variable "triggers" {
  type = map(object({
    subject_begins_with = string
    subject_ends_with   = optional(string, "")
    event_types         = list(string)
    labels              = optional(list(string), [])
    queue               = optional(string)
    webhook_url         = optional(string)
  }))
  description = "Which blobs start something, by name: told to a queue of the account, or to a web address."

  validation {
    condition     = alltrue([for one in var.triggers : (one.queue == null) != (one.webhook_url == null)])
    error_message = "A trigger must have either a queue or a web address."
  }

  validation {
    condition     = alltrue([for one in var.triggers : startswith(one.subject_begins_with, "/blobServices/default/containers/")])
    error_message = "A trigger must begin with /blobServices/default/containers/ and the name of a container."
  }
}
