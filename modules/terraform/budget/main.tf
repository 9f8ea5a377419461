resource "azapi_resource" "this" {
  type      = "Microsoft.Consumption/budgets@2024-08-01"
  parent_id = var.resource_group_id
  name      = var.name

  body = {
    properties = {
      category   = "Cost"
      amount     = var.amount
      timeGrain  = "Monthly"
      timePeriod = { startDate = "${var.start}T00:00:00Z" }
      notifications = {
        for threshold in var.thresholds :
        "actual-${threshold}" => {
          enabled       = true
          operator      = "GreaterThanOrEqualTo"
          threshold     = threshold
          thresholdType = "Actual"
          contactEmails = var.emails
        }
      }
    }
  }

  replace_triggers_refs  = ["properties.timePeriod.startDate"]
  response_export_values = []
}
