variable "resource_group_id" {
  type        = string
  description = "The id of the resource group whose cost is watched."
}

variable "name" {
  type        = string
  description = "The name of the budget."

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,63}$", var.name))
    error_message = "The name must have 1 to 63 letters, digits, hyphens and underscores."
  }
}

variable "amount" {
  type        = number
  description = "The money for a month, in the currency of the subscription."

  validation {
    condition     = var.amount > 0
    error_message = "The amount must be more than 0."
  }
}

variable "start" {
  type        = string
  description = "The first day of the first month, such as 2026-01-01."

  validation {
    condition     = can(regex("^\\d{4}-\\d{2}-01$", var.start))
    error_message = "A budget begins on the first day of a month, such as 2026-01-01."
  }
}

variable "thresholds" {
  type        = list(number)
  default     = [80, 100]
  description = "At which percentages of the amount somebody is told; five at most."

  validation {
    condition     = length(var.thresholds) >= 1 && length(var.thresholds) <= 5
    error_message = "A budget has one to five thresholds."
  }
}

variable "emails" {
  type        = list(string)
  description = "Who is told."

  validation {
    condition     = length(var.emails) > 0
    error_message = "A budget needs somebody who is told."
  }
}
