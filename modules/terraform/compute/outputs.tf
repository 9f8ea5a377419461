output "cluster_ids" {
  value       = { for name, cluster in azapi_resource.this : name => cluster.id }
  description = "The ids of the clusters by name."
}

output "instance_ids" {
  value       = { for name, instance in azapi_resource.instances : name => instance.id }
  description = "The ids of the instances by name."
}
