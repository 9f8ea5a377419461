output "subscription_id" {
  value       = var.resource_group.subscription_id
  description = "The subscription of everything."
}

output "resource_group" {
  value       = module.resource_group.name
  description = "The name of the resource group."
}

output "location" {
  value       = module.resource_group.location
  description = "The region."
}

output "workspace" {
  value       = module.workspace.name
  description = "The name of the workspace."
}

output "workspace_id" {
  value       = module.workspace.id
  description = "The id of the workspace."
}

output "storage_account" {
  value       = module.storage.name
  description = "The name of the storage account."
}

output "storage_account_id" {
  value       = module.storage.id
  description = "The id of the storage account."
}

output "key_vault" {
  value       = module.key_vault.name
  description = "The name of the vault."
}

output "key_vault_id" {
  value       = module.key_vault.id
  description = "The id of the vault."
}

output "key_vault_uri" {
  value       = module.key_vault.uri
  description = "The address of the vault."
}

output "application_insights_id" {
  value       = module.observability.application_insights_id
  description = "The id of the Application Insights component."
}

output "log_analytics_id" {
  value       = module.observability.log_analytics_id
  description = "The id of the log store."
}

output "container_registry" {
  value       = one(module.container_registry[*].name)
  description = "The name of the registry of images; null without one."
}

output "container_registry_id" {
  value       = one(module.container_registry[*].id)
  description = "The id of the registry of images; null without one."
}

output "container_registry_login_server" {
  value       = one(module.container_registry[*].login_server)
  description = "The address that images are pulled from; null without one."
}

output "identities" {
  value       = module.identity_and_access.identities
  description = "The identities by key: id, principal_id, client_id."
}

output "subnet_ids" {
  value       = module.network.subnet_ids
  description = "The ids of the subnets by their use."
}

output "clusters" {
  value       = keys(module.compute.cluster_ids)
  description = "The names of the clusters."
}

output "instances" {
  value       = keys(module.compute.instance_ids)
  description = "The names of the compute instances."
}

output "kubernetes_compute" {
  value       = one(module.kubernetes[*].compute_name)
  description = "The name of the attached Kubernetes cluster; null without one."
}

output "registry" {
  value       = one(module.registry[*].name)
  description = "The name of the Azure ML registry; null without one."
}

output "registry_id" {
  value       = one(module.registry[*].id)
  description = "The id of the Azure ML registry; null without one."
}

output "data_trigger_topic_id" {
  value       = one(module.data_trigger[*].topic_id)
  description = "The id of the topic of blobs that start a pipeline; null without one."
}

output "when_soft_deleted" {
  value = {
    key_vault = var.key_vault.when_soft_deleted
    workspace = var.workspace.when_soft_deleted
  }
  description = "What is done with a deleted vault or workspace of the same name: recover, purge or refuse."
}
