"""What somebody deletes of a collection behind the back of an engine is shown, comes back, and is all that changes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

ENGINES = ("terraform", "pulumi")
MODULES = Path(__file__).resolve().parents[3] / "modules" / "terraform"
# One resource of each collection, or of each kind in it: what its id holds. These have nothing below them.
LEAVES = {
    "Microsoft.Authorization/roleAssignments": ("/storageAccounts/", "/workspaces/"),
    "Microsoft.Authorization/roleDefinitions": ("",),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": ("/new-data", "/hook"),
    "Microsoft.Insights/metricAlerts": ("busy",),
    "Microsoft.MachineLearningServices/workspaces/computes": ("/spare", "/ci-ben"),
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": ("",),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": ("",),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("",),
    "Microsoft.Storage/storageAccounts/blobServices/containers": ("/models",),
    "Microsoft.Storage/storageAccounts/queueServices/queues": ("",),
}
# These take others with them.
HOLDERS = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("-deployment",),
    "Microsoft.Network/privateEndpoints": ("",),
}
# And this one is not deleted while there is a link in it.
ZONES = "Microsoft.Network/privateDnsZones"


def _chosen(sent, wanted):
    """Return an id for each that is wanted; a role that is assigned cannot be deleted."""
    assigned = {one.body["properties"]["roleDefinitionId"] for one in sent if one.type.endswith("/roleAssignments")}
    used = " ".join(assigned).lower()
    found = []
    for kind, parts in wanted.items():
        for part in parts:
            fit = [one.id for one in sent if one.type == kind and part in one.id]
            free = [id_ for id_ in fit if id_ not in found and id_.rpartition("/")[2].lower() not in used]
            assert free, f"the environment has no {kind} with {part!r}"
            found.append(free[0])
    return found


@pytest.mark.infra
@pytest.mark.parametrize("tool", ENGINES)
def test_what_is_deleted_of_a_collection_is_shown_and_comes_back(tool, project, engine, group_of, comparison):
    made = project("everything")
    given = replace(made, overrides=(*made.overrides, "infra.resource_group.delete_lock=false"))
    values, one = given.values(), engine(tool, given)
    group = group_of(values)
    one.apply()
    before, sent = one.store.below(group), one.sent()
    link = _chosen(sent, {f"{ZONES}/virtualNetworkLinks": ("",)})[0]
    zone = link.rpartition("/virtualNetworkLinks/")[0]
    for doomed in (_chosen(sent, LEAVES), [*_chosen(sent, HOLDERS), link, zone]):
        for id_ in doomed:
            one.store.delete(id_)
        below = tuple(f"{id_}/".lower() for id_ in doomed)
        gone = [each.id for each in sent if f"{each.id}/".lower().startswith(below)]

        changes = one.changes()
        assert len([change for change in changes if change.action == "create"]) == len(gone) >= len(doomed)
        assert {change.action for change in changes} <= {"create", "update", "replace", "delete+create"}
        one.apply()
        assert one.changes() == []
        assert comparison.differences(before, one.store.below(group), ("before", "after the repair"), values) == []
    one.destroy()


def test_every_collection_of_the_modules_has_a_resource_that_is_deleted():
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(MODULES.glob("*/*.tf")))
    blocks = re.findall(r'^resource "\w+" "\w+" \{\n  for_each\b.*?^\}', text, re.MULTILINE | re.DOTALL)
    kinds = [kind for block in blocks for kind in re.findall(r'^  type\s*= "([^@"]+)@', block, re.MULTILINE)[:1]]
    assert set(kinds) == {*LEAVES, *HOLDERS, ZONES}
