output "cluster_id" {
  value       = local.cluster_id
  description = "The id of the cluster, created or existing."
}

output "compute_id" {
  value       = azapi_resource.compute.id
  description = "The id of the attached compute."
}

output "compute_name" {
  value       = azapi_resource.compute.name
  description = "The name under which jobs and endpoints use the cluster."
}
