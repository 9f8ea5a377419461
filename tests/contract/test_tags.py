"""Tags as a resource of their own, at a subscription, a group, a resource and a workspace."""

from __future__ import annotations

from typing import Any

import pytest

_TAGS = "providers/Microsoft.Resources/tags/default"


def _tags(operation: str, **tags: str) -> dict[str, Any]:
    return {"operation": operation, "properties": {"tags": tags}}


def _scopes(group: Any) -> dict[str, str]:
    identity = group.put("Microsoft.ManagedIdentity/userAssignedIdentities/id-tagged").id
    return {"group": group.id, "resource": identity, "subscription": group.id.partition("/resourceGroups/")[0]}


@pytest.mark.parametrize("where", ["group", "resource", "subscription"])
def test_tags_are_replaced_merged_and_deleted(arm: Any, group: Any, where: str) -> None:
    scope = _scopes(group)[where]
    arm.tags.begin_create_or_update_at_scope(scope, {"properties": {"tags": {"a": "1", "b": "2"}}}).result()
    assert arm.tags.get_at_scope(scope).properties.tags == {"a": "1", "b": "2"}
    merged = arm.tags.begin_update_at_scope(scope, _tags("Merge", b="3", c="4")).result()
    assert merged.properties.tags == {"a": "1", "b": "3", "c": "4"}
    kept = arm.tags.begin_update_at_scope(scope, _tags("Delete", a="1", b="other", c="")).result()
    assert kept.properties.tags == {"b": "3"}
    replaced = arm.tags.begin_update_at_scope(scope, _tags("Replace", z="9")).result()
    assert replaced.properties.tags == {"z": "9"}
    if where != "subscription":
        assert group.send("GET", scope).json()["tags"] == {"z": "9"}
    arm.tags.begin_delete_at_scope(scope).result()
    assert arm.tags.get_at_scope(scope).properties.tags == {}


def test_tags_of_a_workspace_are_those_that_the_sdk_shows(arm: Any, ml: Any) -> None:
    scope = ml.workspaces.get().id
    before = arm.tags.get_at_scope(scope).properties.tags
    arm.tags.begin_update_at_scope(scope, _tags("Merge", owner="team-a")).result()

    assert ml.workspaces.get().tags == {**before, "owner": "team-a"}
    arm.tags.begin_create_or_update_at_scope(scope, {"properties": {"tags": before}}).result()


def test_unknown_operation_is_refused_by_name(group: Any) -> None:
    answer = group.send("PATCH", f"{group.id}/{_TAGS}", _tags("Append", a="1"))

    assert (answer.status_code, answer.json()["error"]["target"]) == (400, "operation")
