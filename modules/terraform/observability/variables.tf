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

variable "log_analytics" {
  type = object({
    name           = string
    retention_days = optional(number, 30)
    daily_cap_gb   = optional(number, -1)
  })
  description = "The log store: its name, for how many days it keeps logs, and how many gigabytes it takes a day (-1: any)."

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]$", var.log_analytics.name))
    error_message = "The name of the log store must have 4 to 63 letters, digits and hyphens, with no hyphen at either end."
  }

  validation {
    condition     = var.log_analytics.retention_days >= 30 && var.log_analytics.retention_days <= 730
    error_message = "Logs are kept for 30 to 730 days."
  }
}

variable "application_insights" {
  type = object({
    name = optional(string)
    id   = optional(string)
  })
  description = "Traces: the name of the component to create, or the id of an existing one."

  validation {
    condition     = (var.application_insights.name == null) != (var.application_insights.id == null)
    error_message = "Application Insights needs either a name, to be created, or the id of an existing component."
  }
}

variable "workspace_id" {
  type        = string
  default     = null
  description = "The id of the workspace that is watched; needed for diagnostic categories and alerts."
}

variable "diagnostic_setting" {
  type        = string
  default     = "to-log-analytics"
  description = "The name of the diagnostic setting of the workspace."
}

variable "diagnostic_categories" {
  type        = list(string)
  default     = []
  description = "The log categories of the workspace that go to the log store; without any there is no setting."
}

variable "action_group" {
  type = object({
    name       = string
    short_name = string
    emails     = map(string)
  })
  default     = null
  description = "Who is told of alerts: addresses by the name that they get in the group."

  validation {
    condition     = var.action_group == null ? true : length(var.action_group.short_name) <= 12
    error_message = "The short name of an action group must have at most 12 characters."
  }
}

variable "alerts" {
  type = map(object({
    name        = string
    metric      = string
    aggregation = string
    operator    = string
    threshold   = number
    window      = string
    frequency   = string
    severity    = number
  }))
  default     = {}
  description = "Metric alerts on the workspace; window and frequency are ISO 8601 durations, severity 0 is the worst."

  validation {
    condition     = alltrue([for alert in var.alerts : contains([0, 1, 2, 3, 4], alert.severity)])
    error_message = "The severity of an alert must be 0, 1, 2, 3 or 4."
  }
}
