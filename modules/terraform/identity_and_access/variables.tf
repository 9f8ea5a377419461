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

variable "identities" {
  type        = map(string)
  default     = {}
  description = "The names of the user-assigned identities to create, by the key that other arguments use."

  validation {
    condition     = alltrue([for name in values(var.identities) : can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}$", name))])
    error_message = "An identity's name must have 3 to 128 letters, digits, hyphens and underscores, and begin with a letter or digit."
  }
}

variable "federated_credentials" {
  type = map(object({
    name      = string
    identity  = string
    issuer    = string
    subject   = string
    audiences = list(string)
  }))
  default     = {}
  description = "Tokens of other issuers, such as GitHub, that stand for an identity; the subject is compared with every character and its case."

  validation {
    condition     = alltrue([for one in var.federated_credentials : contains(keys(var.identities), one.identity)])
    error_message = "A federated credential must name a key of identities."
  }
}

variable "custom_roles" {
  type = map(object({
    guid              = string
    id                = string
    role_name         = string
    description       = string
    actions           = list(string)
    not_actions       = list(string)
    assignable_scopes = list(string)
  }))
  default     = {}
  description = "Role definitions at the resource group, by key; the id is that by which assignments refer to them."
}

variable "role_assignments" {
  type = map(object({
    name               = string
    scope              = string
    scope_id           = string
    identity           = optional(string)
    principal_id       = optional(string)
    principal_type     = string
    role_definition_id = string
    custom_role        = optional(string)
  }))
  default     = {}
  description = "Who may do what at which scope. The name is a GUID made of scope, principal and role; the scope `workspace` waits for the workspace."

  validation {
    condition     = alltrue([for one in var.role_assignments : (one.identity == null) != (one.principal_id == null)])
    error_message = "A role assignment must name either a key of identities or the id of a principal."
  }

  validation {
    condition     = alltrue([for one in var.role_assignments : one.identity == null ? true : contains(keys(var.identities), one.identity)])
    error_message = "A role assignment must name a key of identities."
  }
}

variable "scope_ids" {
  type        = any
  default     = {}
  description = "The ids of the resources at which roles are assigned: they are waited for."
}

variable "workspace_id" {
  type        = string
  default     = null
  description = "The id of the workspace, for roles that are assigned there."
}
