locals {
  group    = module.resource_group.id
  location = var.resource_group.location
  tags     = var.resource_group.tags
}

module "resource_group" {
  source = "../../modules/terraform/resource_group"

  subscription_id = var.resource_group.subscription_id
  name            = var.resource_group.name
  location        = local.location
  tags            = merge(local.tags, { "mlops-kit-engine" = "terraform" }) # by which the other engine keeps off
  delete_lock     = var.resource_group.delete_lock

  # The lock comes last and goes first: while it is there nothing in the group can be deleted.
  lock_after = [
    module.network, module.storage, module.key_vault, module.observability, module.container_registry,
    module.identity_and_access, module.workspace, module.compute, module.kubernetes, module.registry,
    module.data_trigger, module.budget,
  ]
}

module "network" {
  source = "../../modules/terraform/network"

  resource_group_id  = local.group
  location           = local.location
  tags               = local.tags
  virtual_network    = var.workspace.network.virtual_network
  virtual_network_id = var.workspace.network.virtual_network_id
  subnets            = var.workspace.network.subnets
  dns_zones          = var.workspace.network.dns_zones
}

module "identity_and_access" {
  source = "../../modules/terraform/identity_and_access"

  resource_group_id     = local.group
  location              = local.location
  tags                  = local.tags
  identities            = var.identity_and_access.identities
  federated_credentials = var.identity_and_access.federated_credentials
  custom_roles          = var.identity_and_access.custom_roles
  role_assignments      = var.identity_and_access.role_assignments
  workspace_id          = module.workspace.id
  scope_ids = {
    storage              = module.storage.id
    key_vault            = module.key_vault.id
    container_registry   = one(module.container_registry[*].id)
    application_insights = module.observability.application_insights_id
    log_analytics        = module.observability.log_analytics_id
  }
}

module "storage" {
  source = "../../modules/terraform/storage"

  resource_group_id          = local.group
  location                   = local.location
  tags                       = local.tags
  name                       = var.storage.name
  sku                        = var.storage.sku
  containers                 = var.storage.containers
  versioning                 = var.storage.versioning
  blob_soft_delete_days      = var.storage.blob_soft_delete_days
  container_soft_delete_days = var.storage.container_soft_delete_days
  shared_keys                = var.storage.shared_keys
  firewall = {
    public_network_access = var.storage.firewall.public_network_access
    default_action        = var.storage.firewall.default_action
    ip_rules              = var.storage.firewall.ip_rules
    subnet_ids            = [for key in var.storage.firewall.subnets : module.network.subnet_ids[key]]
  }
}

module "key_vault" {
  source = "../../modules/terraform/key_vault"

  resource_group_id = local.group
  location          = local.location
  tags              = local.tags
  name              = var.key_vault.name
  sku               = var.key_vault.sku
  tenant_id         = var.key_vault.tenant_id
  rbac              = var.key_vault.rbac
  access_policies = {
    for key, one in var.key_vault.access_policies : key => {
      principal_id = one.identity == null ? one.principal_id : module.identity_and_access.identity_principal_ids[one.identity]
      keys         = one.keys
      secrets      = one.secrets
      certificates = one.certificates
    }
  }
  soft_delete_days = var.key_vault.soft_delete_days
  purge_protection = var.key_vault.purge_protection
  firewall = {
    public_network_access = var.key_vault.firewall.public_network_access
    default_action        = var.key_vault.firewall.default_action
    ip_rules              = var.key_vault.firewall.ip_rules
    subnet_ids            = [for key in var.key_vault.firewall.subnets : module.network.subnet_ids[key]]
  }
}

module "observability" {
  source = "../../modules/terraform/observability"

  resource_group_id     = local.group
  location              = local.location
  tags                  = local.tags
  log_analytics         = var.observability.log_analytics
  application_insights  = var.observability.application_insights
  workspace_id          = module.workspace.id
  diagnostic_setting    = var.observability.diagnostic_setting
  diagnostic_categories = var.observability.diagnostic_categories
  action_group          = var.observability.action_group
  alerts                = var.observability.alerts
}

module "container_registry" {
  source = "../../modules/terraform/container_registry"
  count  = var.container_registry == null ? 0 : 1

  resource_group_id     = local.group
  location              = local.location
  tags                  = local.tags
  name                  = var.container_registry.name
  sku                   = var.container_registry.sku
  public_network_access = var.container_registry.public_network_access
}

module "workspace" {
  source = "../../modules/terraform/workspace"

  resource_group_id       = local.group
  location                = local.location
  tags                    = local.tags
  name                    = var.workspace.name
  friendly_name           = var.workspace.friendly_name
  description             = var.workspace.description
  identity_id             = module.identity_and_access.identity_ids[var.workspace.identity]
  grants                  = module.identity_and_access.grant_ids
  storage_account_id      = module.storage.id
  key_vault_id            = module.key_vault.id
  application_insights_id = module.observability.application_insights_id
  container_registry_id   = one(module.container_registry[*].id)
  datastore_auth          = var.workspace.datastore_auth
  image_build_compute     = var.workspace.image_build_compute
  public_network_access   = var.workspace.network.public_network_access
  isolation_mode          = var.workspace.network.isolation_mode
  outbound_rules          = var.workspace.network.outbound_rules
  customer_managed_key    = var.workspace.customer_managed_key
  serverless = {
    subnet_id    = var.workspace.serverless.subnet == null ? null : module.network.subnet_ids[var.workspace.serverless.subnet]
    no_public_ip = var.workspace.serverless.no_public_ip
  }

  private_endpoints          = var.workspace.network.private_endpoints
  private_endpoint_subnet_id = lookup(module.network.subnet_ids, "endpoints", null)
  dns_zone_ids               = module.network.dns_zone_ids
  private_link_ids = {
    storage            = module.storage.id
    key_vault          = module.key_vault.id
    container_registry = one(module.container_registry[*].id)
  }
}

module "compute" {
  source = "../../modules/terraform/compute"

  workspace_id = module.workspace.id
  location     = local.location
  tags         = local.tags
  identity_ids = module.identity_and_access.identity_ids
  subnet_ids   = module.network.subnet_ids
  clusters     = var.compute.clusters
  instances    = var.compute.instances

  private_endpoints = module.workspace.private_endpoint_ids
}

module "kubernetes" {
  source = "../../modules/terraform/kubernetes"
  count  = var.kubernetes == null ? 0 : 1

  resource_group_id     = local.group
  location              = local.location
  tags                  = local.tags
  workspace_id          = module.workspace.id
  cluster               = var.kubernetes.cluster
  cluster_id            = var.kubernetes.cluster_id
  extension             = var.kubernetes.extension
  compute_name          = var.kubernetes.compute_name
  namespace             = var.kubernetes.namespace
  identity_id           = module.identity_and_access.identity_ids[var.kubernetes.identity]
  instance_types        = var.kubernetes.instance_types
  default_instance_type = var.kubernetes.default_instance_type
  private_endpoints     = module.workspace.private_endpoint_ids
}

module "registry" {
  source = "../../modules/terraform/registry"
  count  = var.registry == null ? 0 : 1

  resource_group_id      = local.group
  tags                   = local.tags
  name                   = var.registry.name
  locations              = var.registry.locations
  storage_sku            = var.registry.storage_sku
  container_registry_sku = var.registry.container_registry_sku
  public_network_access  = var.registry.public_network_access
}

module "data_trigger" {
  source = "../../modules/terraform/data_trigger"
  count  = var.data_trigger == null ? 0 : 1

  resource_group_id  = local.group
  location           = local.location
  tags               = local.tags
  topic              = var.data_trigger.topic
  storage_account_id = module.storage.id
  identity_id        = module.identity_and_access.identity_ids[var.data_trigger.identity]
  grants             = module.identity_and_access.grant_ids
  triggers           = var.data_trigger.triggers
}

module "budget" {
  source = "../../modules/terraform/budget"
  count  = var.budget == null ? 0 : 1

  resource_group_id = local.group
  name              = var.budget.name
  amount            = var.budget.amount
  start             = var.budget.start
  thresholds        = var.budget.thresholds
  emails            = var.budget.emails
}
