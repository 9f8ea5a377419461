"""The life of an environment with each engine: made, left alone, repaired after drift, taken down."""

from __future__ import annotations

import pytest

ENGINES = ("terraform", "pulumi")
NAMES = ("local", "dev", "test", "prod", "everything")


@pytest.mark.infra
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tool", ENGINES)
def test_an_environment_is_made_left_alone_repaired_and_taken_down(tool, name, project, engine, group_of, comparison):
    given = project(name)
    values = given.values()
    group = group_of(values)
    one = engine(tool, given)

    one.apply()
    assert one.changes() == []
    before = one.store.below(group)

    drifted = f"{group}/providers/Microsoft.Storage/storageAccounts/{values['storage']['name']}"
    account = before[drifted.lower()]
    opened = {**account["properties"], "allowBlobPublicAccess": True, "minimumTlsVersion": "TLS1_0"}
    one.store.put({drifted: {**account, "tags": {}, "properties": opened}})
    assert [change.action for change in one.changes() if not change.resource.startswith("output")] == ["update"]
    one.apply()
    assert one.changes() == []
    assert comparison.differences(before, one.store.below(group), ("before", "after the repair"), values) == []

    one.destroy()
    assert one.store.below(group) == {}
