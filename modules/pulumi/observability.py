"""Logs, traces and alerts: what is there before the workspace, and what watches the workspace afterwards."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import applicationinsights, monitor, operationalinsights

from mlops_kit.infra import contract
from modules.pulumi.place import Place

_WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
_EVERYWHERE = "global"  # action groups and metric alerts belong to no region


class Observability(pulumi.ComponentResource):
    """Log Analytics (retention in days, cap in GB a day), workspace-based Application Insights, and who is told.

    Source: learn.microsoft.com/azure/templates/microsoft.operationalinsights/workspaces, microsoft.insights/components.
    """

    def __init__(
        self, name: str, args: contract.Observability, place: Place, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-kit:modules:Observability", name, None, opts)
        self._inside = pulumi.ResourceOptions(parent=self)
        self.log_analytics = operationalinsights.Workspace(
            f"{name}-logs",
            workspace_name=args.log_analytics.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            sku=operationalinsights.WorkspaceSkuArgs(name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018),
            retention_in_days=args.log_analytics.retention_days,
            workspace_capping=operationalinsights.WorkspaceCappingArgs(daily_quota_gb=args.log_analytics.daily_cap_gb),
            opts=self._inside,
        )
        self.log_analytics_id = self.log_analytics.id
        self.application_insights_id = self._application_insights(name, args.application_insights, place)
        self.action_group_id = self._action_group(name, args.action_group, place)
        self.register_outputs(
            {"log_analytics_id": self.log_analytics_id, "application_insights_id": self.application_insights_id}
        )

    def _application_insights(self, name: str, args: contract.ApplicationInsights, place: Place) -> pulumi.Output[str]:
        if args.name is None:
            return pulumi.Output.from_input(args.id or "")
        component = applicationinsights.Component(
            f"{name}-traces",
            resource_name_=args.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            kind="web",
            application_type=applicationinsights.ApplicationType.WEB,
            workspace_resource_id=self.log_analytics.id,
            opts=self._inside,
        )
        return component.id

    def _action_group(self, name: str, args: contract.ActionGroup | None, place: Place) -> pulumi.Output[str] | None:
        if args is None:
            return None
        group = monitor.ActionGroup(
            f"{name}-people",
            action_group_name=args.name,
            resource_group_name=place.resource_group_name,
            location=_EVERYWHERE,
            tags=dict(place.tags),
            enabled=True,
            group_short_name=args.short_name,
            email_receivers=[
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name=receiver, email_address=address, use_common_alert_schema=True
                )
                for receiver, address in args.emails.items()
            ],
            opts=self._inside,
        )
        return group.id


class WorkspaceMonitoring(pulumi.ComponentResource):
    """What watches a workspace: its diagnostic setting (console, traffic and event logs of endpoints) and its alerts.

    Windows and frequencies are ISO 8601 durations.
    Source: learn.microsoft.com/azure/machine-learning/monitor-resource-reference.
    """

    def __init__(
        self,
        name: str,
        args: contract.Observability,
        place: Place,
        *,
        observability: Observability,
        workspace_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:WorkspaceMonitoring", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        if args.diagnostic_categories:
            monitor.DiagnosticSetting(
                f"{name}-logs",
                name=args.diagnostic_setting,
                resource_uri=workspace_id,
                workspace_id=observability.log_analytics_id,
                logs=[
                    monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True)
                    for category in args.diagnostic_categories
                ],
                opts=inside,
            )
        for key, alert in args.alerts.items():
            monitor.MetricAlert(
                f"{name}-{key}",
                rule_name=alert.name,
                resource_group_name=place.resource_group_name,
                location=_EVERYWHERE,
                tags=dict(place.tags),
                enabled=True,
                auto_mitigate=True,
                severity=alert.severity,
                window_size=alert.window,
                evaluation_frequency=alert.frequency,
                scopes=[workspace_id],
                target_resource_type=_WORKSPACES,
                criteria=_criteria(key, alert),
                actions=[monitor.MetricAlertActionArgs(action_group_id=one) for one in _told(observability)],
                opts=inside,
            )
        self.register_outputs({})


def _told(observability: Observability) -> list[pulumi.Output[str]]:
    return [observability.action_group_id] if observability.action_group_id is not None else []


def _criteria(name: str, alert: contract.Alert) -> monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs:
    return monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
        odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
        all_of=[
            monitor.MetricCriteriaArgs(
                criterion_type="StaticThresholdCriterion",
                name=name,
                metric_name=alert.metric,
                metric_namespace=_WORKSPACES,
                operator=alert.operator,
                threshold=alert.threshold,
                time_aggregation=alert.aggregation,
            )
        ],
    )
