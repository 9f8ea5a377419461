mock_provider "azapi" {}

variables {
  resource_group_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shop"
  name              = "budget-shop"
  amount            = 500
  start             = "2026-01-01"
  emails            = ["ops@example.com"]
}

run "somebody_is_told_at_every_threshold" {
  command = plan

  assert {
    condition     = keys(azapi_resource.this.body.properties.notifications) == ["actual-100", "actual-80"]
    error_message = "There must be a notification for each threshold."
  }
}

run "a_start_in_the_middle_of_a_month_is_refused" {
  command = plan

  variables {
    start = "2026-01-15"
  }

  expect_failures = [var.start]
}

run "a_budget_that_nobody_hears_of_is_refused" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [var.emails]
}
