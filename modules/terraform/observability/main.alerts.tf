resource "azapi_resource" "action_group" {
  count = var.action_group == null ? 0 : 1

  type      = "Microsoft.Insights/actionGroups@2023-01-01"
  parent_id = var.resource_group_id
  name      = var.action_group.name
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      groupShortName = var.action_group.short_name
      enabled        = true
      emailReceivers = [
        for name, address in var.action_group.emails :
        { name = name, emailAddress = address, useCommonAlertSchema = true }
      ]
    }
  }

  response_export_values = []
}

resource "azapi_resource" "alerts" {
  for_each = var.alerts

  type      = "Microsoft.Insights/metricAlerts@2018-03-01"
  parent_id = var.resource_group_id
  name      = each.value.name
  location  = "global"
  tags      = var.tags

  body = {
    properties = {
      severity            = each.value.severity
      enabled             = true
      autoMitigate        = true
      targetResourceType  = "Microsoft.MachineLearningServices/workspaces"
      scopes              = [var.workspace_id]
      evaluationFrequency = each.value.frequency
      windowSize          = each.value.window
      criteria = {
        "odata.type" = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        allOf = [{
          criterionType   = "StaticThresholdCriterion"
          name            = each.key
          metricName      = each.value.metric
          metricNamespace = "Microsoft.MachineLearningServices/workspaces"
          timeAggregation = each.value.aggregation
          operator        = each.value.operator
          threshold       = each.value.threshold
        }]
      }
      actions = [for id in azapi_resource.action_group[*].id : { actionGroupId = id }]
    }
  }

  response_export_values = []
}
