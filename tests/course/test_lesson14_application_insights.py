"""Lesson 14: where endpoints report to, as infrastructure."""

import pytest

HUB = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-hub/providers"
GIVEN = f"{HUB}/Microsoft.Insights/components/appi-hub"
COMPONENTS = "Microsoft.Insights/components"
CATEGORIES = ["AmlOnlineEndpointConsoleLog", "AmlOnlineEndpointTrafficLog", "AmlOnlineEndpointEventLog"]


def test_l14_02_given_application_insights_is_used_and_else_one_is_made(planned):
    used = planned("dev", f"infra.observability.application_insights_id={GIVEN}")
    assert used.of(COMPONENTS) == []
    (workspace,) = used.of("Microsoft.MachineLearningServices/workspaces")
    assert workspace["properties"]["applicationInsights"] == GIVEN
    assert len(planned("dev").of(COMPONENTS)) == 1


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_l14_07_three_kinds_of_logs_of_endpoints_go_to_log_analytics(planned, name):
    (setting,) = planned(name).of("Microsoft.Insights/diagnosticSettings")
    assert [one["category"] for one in setting["properties"]["logs"] if one["enabled"]] == CATEGORIES
