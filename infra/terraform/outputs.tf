output "subscription_id" {
  value       = var.resource_group.subscription_id
  description = "The subscription of everything."
}

output "location" {
  value       = module.resource_group.location
  description = "The region."
}

output "resource_group_id" {
  value       = module.resource_group.id
  description = "The id of the resource group."
}

output "resource_group_name" {
  value       = module.resource_group.name
  description = "The name of the resource group."
}

output "storage_id" {
  value       = module.storage.id
  description = "The id of the storage account."
}

output "storage_name" {
  value       = module.storage.name
  description = "The name of the storage account."
}

output "storage_blob_endpoint" {
  value       = module.storage.blob_endpoint
  description = "The address of the blob service."
}

output "key_vault_id" {
  value       = module.key_vault.id
  description = "The id of the vault."
}

output "key_vault_name" {
  value       = module.key_vault.name
  description = "The name of the vault."
}

output "key_vault_uri" {
  value       = module.key_vault.uri
  description = "The address of the vault."
}

output "key_vault_when_soft_deleted" {
  value       = var.key_vault.when_soft_deleted
  description = "What is done with a deleted vault of the same name: recover, purge or refuse."
}

output "log_analytics_id" {
  value       = module.observability.log_analytics_id
  description = "The id of the log store."
}

output "application_insights_id" {
  value       = module.observability.application_insights_id
  description = "The id of the Application Insights component."
}

output "action_group_id" {
  value       = module.observability.action_group_id
  description = "The id of the action group; null without one."
}

output "container_registry_id" {
  value       = one(module.container_registry[*].id)
  description = "The id of the registry of images; null without one."
}

output "container_registry_login_server" {
  value       = one(module.container_registry[*].login_server)
  description = "The address that images are pulled from; null without a registry."
}

output "identity_ids" {
  value       = module.identity_and_access.identity_ids
  description = "The ids of the identities by key."
}

output "identity_principal_ids" {
  value       = module.identity_and_access.identity_principal_ids
  description = "The principal ids of the identities by key."
}

output "identity_client_ids" {
  value       = module.identity_and_access.identity_client_ids
  description = "The client ids of the identities by key."
}

output "custom_role_ids" {
  value       = module.identity_and_access.custom_role_ids
  description = "The ids of the custom roles by key."
}

output "virtual_network_id" {
  value       = module.network.virtual_network_id
  description = "The id of the virtual network, created or existing; null without one."
}

output "subnet_ids" {
  value       = module.network.subnet_ids
  description = "The ids of the subnets by their use."
}

output "dns_zone_ids" {
  value       = module.network.dns_zone_ids
  description = "The ids of the private DNS zones by name."
}

output "private_endpoint_ids" {
  value       = module.workspace.private_endpoint_ids
  description = "The ids of the private endpoints by key."
}

output "workspace_id" {
  value       = module.workspace.id
  description = "The id of the workspace."
}

output "workspace_name" {
  value       = module.workspace.name
  description = "The name of the workspace."
}

output "workspace_when_soft_deleted" {
  value       = var.workspace.when_soft_deleted
  description = "What is done with a deleted workspace of the same name: recover, purge or refuse."
}

output "compute_ids" {
  value       = merge(module.compute.cluster_ids, module.compute.instance_ids)
  description = "The ids of the clusters and instances by name."
}

output "kubernetes_cluster_id" {
  value       = one(module.kubernetes[*].cluster_id)
  description = "The id of the Kubernetes cluster; null without one."
}

output "kubernetes_compute_id" {
  value       = one(module.kubernetes[*].compute_id)
  description = "The id of the attached Kubernetes cluster; null without one."
}

output "registry_id" {
  value       = one(module.registry[*].id)
  description = "The id of the Azure ML registry; null without one."
}

output "registry_name" {
  value       = one(module.registry[*].name)
  description = "The name of the Azure ML registry; null without one."
}

output "data_trigger_id" {
  value       = one(module.data_trigger[*].topic_id)
  description = "The id of the topic of blobs that start a pipeline; null without one."
}

output "data_trigger_subscription_ids" {
  value       = merge(module.data_trigger[*].subscription_ids...)
  description = "The ids of the subscriptions to blobs by trigger."
}

output "budget_id" {
  value       = one(module.budget[*].id)
  description = "The id of the budget; null without one."
}
