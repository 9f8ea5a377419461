"""Which action a call is, and which actions a pattern of a role holds."""

from __future__ import annotations

import pytest

from mlops_kit.local.arm.ids import scopes
from mlops_kit.local.providers.access import action_of, holds

_GROUP = "/subscriptions/s/resourceGroups/g"
_WORKSPACE = f"{_GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("GET", "/subscriptions/s", "Microsoft.Resources/subscriptions/read", "/subscriptions/s"),
        ("PUT", _GROUP, "Microsoft.Resources/subscriptions/resourceGroups/write", _GROUP),
        (
            "GET",
            f"{_GROUP}/providers/Microsoft.Storage/storageAccounts",
            "Microsoft.Storage/storageAccounts/read",
            _GROUP,
        ),
        ("DELETE", _WORKSPACE, "Microsoft.MachineLearningServices/workspaces/delete", _WORKSPACE),
        (
            "POST",
            f"{_WORKSPACE}/computes/c/start",
            "Microsoft.MachineLearningServices/workspaces/computes/start/action",
            f"{_WORKSPACE}/computes/c",
        ),
        (
            "PUT",
            f"{_WORKSPACE}/providers/Microsoft.Authorization/roleAssignments/r",
            "Microsoft.Authorization/roleAssignments/write",
            f"{_WORKSPACE}/providers/Microsoft.Authorization/roleAssignments/r",
        ),
        ("DELETE", _WORKSPACE.upper(), "MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/delete", _WORKSPACE.upper()),
        (
            "POST",
            f"/mlflow/v1.0{_WORKSPACE}/api/2.0/mlflow/runs/log-batch",
            "Microsoft.MachineLearningServices/workspaces/experiments/runs/write",
            _WORKSPACE,
        ),
        (
            "PUT",
            f"/mferp/managementfrontend{_GROUP}/providers/Microsoft.MachineLearningServices/registries/r/models/m",
            "Microsoft.MachineLearningServices/registries/models/write",
            f"{_GROUP}/providers/Microsoft.MachineLearningServices/registries/r/models/m",
        ),
    ],
)
def test_call_is_an_action_at_a_scope(method: str, path: str, action: str, scope: str) -> None:
    assert action_of(method, path) == (action, scope)


@pytest.mark.parametrize(
    ("pattern", "action", "held"),
    [
        ("*", "Microsoft.Storage/storageAccounts/write", True),
        ("*/read", "Microsoft.Storage/storageAccounts/read", True),
        ("*/read", "Microsoft.Storage/storageAccounts/write", False),
        ("Microsoft.Storage/*", "microsoft.storage/storageaccounts/blobServices/read", True),
        ("Microsoft.ML/workspaces/*/write", "Microsoft.ML/workspaces/write", True),
        ("Microsoft.ML/workspaces/*/write", "Microsoft.ML/workspaces/models/versions/write", True),
        ("Microsoft.ML/workspaces/*/write", "Microsoft.ML/workspacesX/write", False),
        ("Microsoft.ML/workspaces/computes/*", "Microsoft.ML/workspaces/computes/start/action", True),
        ("Microsoft.ML/workspaces/computes/*", "Microsoft.ML/workspaces/datastores/write", False),
        ("Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", True),
    ],
)
def test_wildcards_hold_what_they_hold_in_azure(pattern: str, action: str, held: bool) -> None:
    assert holds([pattern], action) is held


def test_scopes_of_what_extends_a_resource_are_all_that_is_around_it() -> None:
    around = scopes(f"{_WORKSPACE}/computes/c/providers/Microsoft.Insights/diagnosticSettings/d")

    assert around[:4] == ["/subscriptions/s", _GROUP, _WORKSPACE, f"{_WORKSPACE}/computes/c"]
    assert len(around) == 5
