output "topic_id" {
  value       = azapi_resource.this.id
  description = "The id of the topic."
}

output "subscription_ids" {
  value = {
    for name, one in merge(azapi_resource.queue_subscriptions, azapi_resource.webhook_subscriptions) : name => one.id
  }
  description = "The ids of the subscriptions by the name of their trigger."
}

output "queue_ids" {
  value       = { for name, queue in azapi_resource.queues : name => queue.id }
  description = "The ids of the queues by name."
}
