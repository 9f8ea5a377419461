variable "subscription_id" {
  type        = string
  description = "The subscription in which the group is created."

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "The subscription id must be a GUID."
  }
}

variable "name" {
  type        = string
  description = "The name of the group."

  validation {
    condition     = can(regex("^[-\\w._()]{0,89}[-\\w_()]$", var.name))
    error_message = "The name must have 1 to 90 letters, digits, '.', '_', '-' and parentheses, and must not end in '.'."
  }
}

variable "location" {
  type        = string
  description = "The region of the group."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "The tags of the group."
}

variable "delete_lock" {
  type        = string
  default     = null
  description = "The name of a lock that keeps the group and everything in it from being deleted; null for none."
}

variable "lock_after" {
  type        = any
  default     = null
  description = "Anything that must exist before the lock, and is therefore deleted after it: a lock stops every deletion below it."
}
