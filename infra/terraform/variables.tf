# One variable for each module, as `mlops-kit infra` decides them from environments/*.yaml.
# Nothing has a default and nothing is computed here: what is not wanted is null.

variable "resource_group" {
  type = object({
    subscription_id = string
    name            = string
    location        = string
    tags            = map(string)
    delete_lock     = string
  })
  nullable    = false
  description = "The resource group, and what everything in it shares."
}

variable "storage" {
  type = object({
    name                       = string
    sku                        = string
    containers                 = list(string)
    versioning                 = bool
    blob_soft_delete_days      = number
    container_soft_delete_days = number
    shared_keys                = bool
    firewall = object({
      public_network_access = string
      default_action        = string
      ip_rules              = list(string)
      subnets               = list(string)
    })
  })
  nullable    = false
  description = "The storage account of the workspace; the subnets are keys of workspace.network.subnets."
}

variable "key_vault" {
  type = object({
    name      = string
    sku       = string
    tenant_id = string
    rbac      = bool
    access_policies = map(object({
      identity     = string
      principal_id = string
      keys         = list(string)
      secrets      = list(string)
      certificates = list(string)
    }))
    soft_delete_days  = number
    purge_protection  = bool
    when_soft_deleted = string
    firewall = object({
      public_network_access = string
      default_action        = string
      ip_rules              = list(string)
      subnets               = list(string)
    })
  })
  nullable    = false
  description = "The vault of the workspace; without a tenant it knows the identities of the caller's."
}

variable "observability" {
  type = object({
    log_analytics = object({
      name           = string
      retention_days = number
      daily_cap_gb   = number
    })
    application_insights = object({
      name = string
      id   = string
    })
    diagnostic_setting    = string
    diagnostic_categories = list(string)
    action_group = object({
      name       = string
      short_name = string
      emails     = map(string)
    })
    alerts = map(object({
      name        = string
      metric      = string
      aggregation = string
      operator    = string
      threshold   = number
      window      = string
      frequency   = string
      severity    = number
    }))
  })
  nullable    = false
  description = "Logs, traces, alerts."
}

variable "container_registry" {
  type = object({
    name                  = string
    sku                   = string
    public_network_access = string
  })
  description = "The registry of images; null lets the workspace make one with the first image."
}

variable "identity_and_access" {
  type = object({
    identities = map(string)
    federated_credentials = map(object({
      name      = string
      identity  = string
      issuer    = string
      subject   = string
      audiences = list(string)
    }))
    custom_roles = map(object({
      guid              = string
      id                = string
      role_name         = string
      description       = string
      actions           = list(string)
      not_actions       = list(string)
      assignable_scopes = list(string)
    }))
    role_assignments = map(object({
      name               = string
      scope              = string
      scope_id           = string
      identity           = string
      principal_id       = string
      principal_type     = string
      role               = string
      role_definition_id = string
      custom_role        = string
    }))
  })
  nullable    = false
  description = "Identities, and who may do what."
}

variable "workspace" {
  type = object({
    name                = string
    friendly_name       = string
    description         = string
    identity            = string
    datastore_auth      = string
    image_build_compute = string
    when_soft_deleted   = string
    network = object({
      mode                  = string
      public_network_access = string
      isolation_mode        = string
      outbound_rules = map(object({
        type        = string
        fqdn        = string
        service_tag = string
        protocol    = string
        port_ranges = string
      }))
      virtual_network = object({
        name          = string
        address_space = list(string)
      })
      virtual_network_id = string
      subnets = map(object({
        name              = string
        prefix            = string
        id                = string
        service_endpoints = list(string)
      }))
      private_endpoints = map(object({
        name      = string
        target    = string
        group_id  = string
        dns_zones = list(string)
      }))
      dns_zones = map(object({
        id   = string
        link = string
      }))
    })
    serverless = object({
      subnet       = string
      no_public_ip = bool
    })
    customer_managed_key = object({
      vault_id = string
      key_id   = string
    })
  })
  nullable    = false
  description = "The workspace and its network; the identity is a key of identity_and_access.identities."
}

variable "compute" {
  type = object({
    clusters = map(object({
      size                        = string
      tier                        = string
      min_instances               = number
      max_instances               = number
      idle_time_before_scale_down = string
      identity                    = string
      subnet                      = string
      subnet_id                   = string
      public_ip                   = bool
      ssh                         = object({ user = string, public_key = string })
    }))
    instances = map(object({
      size                      = string
      idle_time_before_shutdown = string
      identity                  = string
      subnet                    = string
      subnet_id                 = string
      public_ip                 = bool
      ssh_public_key            = string
      assigned_user             = object({ tenant_id = string, object_id = string })
      creation_script           = object({ data = string, arguments = string, timeout = string })
      startup_script            = object({ data = string, arguments = string, timeout = string })
      schedules                 = list(object({ action = string, cron = string, time_zone = string }))
    }))
  })
  nullable    = false
  description = "Clusters and instances by name."
}

variable "kubernetes" {
  type = object({
    cluster = object({
      name            = string
      dns_prefix      = string
      version         = string
      tier            = string
      private_cluster = bool
      node_pools = map(object({
        size          = string
        mode          = string
        min_instances = number
        max_instances = number
      }))
    })
    cluster_id = string
    extension = object({
      name     = string
      settings = map(string)
    })
    compute_name = string
    namespace    = string
    identity     = string
    instance_types = map(object({
      cpu           = string
      memory        = string
      gpu           = string
      node_selector = map(string)
    }))
    default_instance_type = string
  })
  description = "A Kubernetes cluster as compute, created or existing; null for none."
}

variable "registry" {
  type = object({
    name                   = string
    locations              = list(string)
    storage_sku            = string
    container_registry_sku = string
    public_network_access  = string
  })
  description = "The Azure ML registry from which assets are promoted; null for none."
}

variable "data_trigger" {
  type = object({
    topic    = string
    identity = string
    triggers = map(object({
      subject_begins_with = string
      subject_ends_with   = string
      event_types         = list(string)
      labels              = list(string)
      queue               = string
      webhook_url         = string
    }))
  })
  description = "Blobs that start a pipeline; null for none."
}

variable "budget" {
  type = object({
    name       = string
    amount     = number
    start      = string
    thresholds = list(number)
    emails     = list(string)
  })
  description = "The monthly budget of the resource group; null for none."
}
