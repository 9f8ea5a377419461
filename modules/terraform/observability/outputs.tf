output "log_analytics_id" {
  value       = azapi_resource.this.id
  description = "The id of the log store."
}

output "log_analytics_customer_id" {
  value       = azapi_resource.this.output.customer_id
  description = "The id under which queries name the log store."
}

output "application_insights_id" {
  value       = one(concat(azapi_resource.application_insights[*].id, var.application_insights.id[*]))
  description = "The id of the Application Insights component, created or existing."
}

output "action_group_id" {
  value       = one(azapi_resource.action_group[*].id)
  description = "The id of the action group; null without one."
}

output "watch_ids" {
  value = concat(
    azapi_resource.diagnostics[*].id,
    azapi_resource.action_group[*].id,
    values(azapi_resource.alerts)[*].id,
  )
  description = "The ids of the diagnostic setting, the action group and the alerts."
}
