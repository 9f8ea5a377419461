"""A changed value does the same to what is there with both engines, and no more than it must."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

ENGINES = ("terraform", "pulumi")
GRANT = "/providers/microsoft.authorization/roleassignments/"


@pytest.mark.infra
@pytest.mark.parametrize("change", ["tags.changed=yes", "infra.compute.clusters.cpu-cluster.max_instances=3"])
def test_a_changed_value_is_the_same_update_with_both_engines(change, project, engine, group_of, comparison):
    given = project("dev")
    changed = replace(given, overrides=(*given.overrides, change))
    group = group_of(given.values())

    def updated(name):
        """Return the store before, what would be done by the id of what is there, and the store afterwards."""
        first = engine(name, given)
        first.apply()
        before = first.store.below(group)
        second = engine(name, changed)
        planned = {one.id.lower(): one.action for one in second.changes() if one.id}
        second.apply()
        assert second.changes() == []
        after = second.store.below(group)
        second.destroy()
        return before, planned, after

    with ThreadPoolExecutor(len(ENGINES)) as threads:
        (was, terraform, now), (_, pulumi, other) = threads.map(updated, ENGINES)
    assert set(pulumi.values()) == set(terraform.values()) == {"update"}
    # Terraform asks again for what depends on an answer that it waits for; that changes nothing below.
    assert set(pulumi) <= set(terraform)
    tag = f'{group.lower()}: tags.mlops-kit-engine: terraform has "terraform", pulumi has "pulumi"'
    assert comparison.differences(now, other, ENGINES, changed.values()) == [tag]
    assert {id_ for id_ in now if now[id_] != was.get(id_)} == set(pulumi)
    grants = {id_: body for id_, body in was.items() if GRANT in id_}
    assert grants
    assert {id_: now[id_] for id_ in grants} == grants
