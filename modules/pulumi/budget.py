"""The monthly budget of a resource group, and who is told when it runs low."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import consumption

from mlops_kit.infra import contract


class Budget(pulumi.ComponentResource):
    """The budget: an amount in the currency of the subscription a month, thresholds in percent of what was spent.

    Source: learn.microsoft.com/azure/templates/microsoft.consumption/budgets.
    """

    def __init__(
        self,
        name: str,
        args: contract.Budget,
        *,
        group_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:Budget", name, None, opts)
        self.budget = consumption.Budget(
            name,
            budget_name=args.name,
            scope=group_id,
            category=consumption.CategoryType.COST,
            time_grain=consumption.TimeGrainType.MONTHLY,
            amount=args.amount,
            time_period=consumption.BudgetTimePeriodArgs(start_date=f"{args.start}T00:00:00Z"),
            notifications={
                f"actual-{threshold}": consumption.NotificationArgs(
                    enabled=True,
                    operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
                    threshold=threshold,
                    threshold_type=consumption.ThresholdType.ACTUAL,
                    contact_emails=list(args.emails),
                )
                for threshold in args.thresholds
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.budget.id
        self.register_outputs({"id": self.id})
