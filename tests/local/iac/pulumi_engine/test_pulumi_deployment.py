"""What the engine decides for each wish of a program, against the control plane and against one that misbehaves."""

import time
from dataclasses import replace

import pytest

from mlops_kit.local.iac.pulumi_engine.cases import Refused
from mlops_kit.local.iac.pulumi_engine.values import UNKNOWN, Secret

TAGGED = {"inputs": {"tags": {"team": "a"}}}


def test_a_second_run_leaves_everything_as_it_is(engine, arm):
    first = engine.run(engine.resource_group(), engine.identity())
    assert [step.action for step in first.steps] == ["create", "create"]
    assert engine.actions(engine.resource_group(), engine.identity()) == {"group": "same", "one": "same"}
    assert arm("GET", f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one")


def test_a_changed_property_is_updated_in_place(engine, arm):
    engine.run(engine.resource_group(), engine.identity(**TAGGED))
    changed = engine.identity(inputs={"tags": {"team": "b"}})
    (_, step) = engine.run(engine.resource_group(), changed).steps
    assert (step.action, step.reasons) == ("update", ())
    assert [(one.path, one.before, one.after) for one in step.differences] == [("tags.team", "a", "b")]
    assert arm("GET", step.id)["tags"] == {"team": "b"}


def test_an_immutable_property_replaces_and_names_itself(engine, arm):
    engine.run(engine.resource_group(), engine.identity(), engine.credential())
    moved = engine.identity(inputs={"location": "northeurope"})
    planned = engine.run(engine.resource_group(), moved, engine.credential(), dry_run=True).steps
    steps = {step.name: step for step in engine.run(engine.resource_group(), moved, engine.credential()).steps}
    assert (steps["one"].action, steps["one"].reasons) == ("replace", ("location",))
    assert (steps["github"].action, steps["github"].reasons) == ("replace", ("it lies in one, which is replaced",))
    assert [(step.name, step.action) for step in planned] == [(step.name, step.action) for step in steps.values()]
    assert arm("GET", steps["one"].id)["location"] == "northeurope"
    assert arm("GET", steps["github"].id) is not None


def test_another_name_is_created_before_the_old_one_is_deleted(engine, arm):
    engine.run(engine.resource_group(), engine.identity())
    renamed = engine.identity(inputs={"resourceName": "id-new"})
    deployment = engine.run(engine.resource_group(), renamed)
    assert (deployment.steps[-1].action, deployment.steps[-1].reasons) == ("replace", ("resourceName",))
    kind = f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    assert [one["name"] for one in arm("GET", kind)["value"]] == ["id-new"]
    assert engine.state.superseded == {}


def test_delete_before_replace_deletes_first_even_under_another_name(engine, arm):
    engine.run(engine.resource_group(), engine.identity(), engine.credential())
    renamed = engine.identity(inputs={"resourceName": "id-new"}, delete_before_replace=True)
    deployment = engine.deployment()
    deployment.custom(engine.resource_group(), "")
    deployment.custom(renamed, "")
    assert arm("GET", f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one") is None
    deployment.finish(4)
    # The credential was in the identity; nobody wished for it again.
    assert [(step.name, step.action) for step in deployment.steps][-1] == ("github", "delete")


@pytest.mark.parametrize("spelling", ["West Europe", "WESTEUROPE", "westeurope"])
def test_a_location_is_the_same_however_it_is_written(engine, spelling):
    engine.run(engine.resource_group())
    assert engine.actions(engine.resource_group(inputs={"location": spelling})) == {"group": "same"}


def test_a_name_in_another_letter_case_is_the_same(engine):
    engine.run(engine.resource_group())
    shouted = engine.resource_group(inputs={"resourceGroupName": engine.group.upper()})
    assert engine.actions(shouted) == {"group": "same"}


def test_ignored_changes_stay_as_they_were(engine, arm):
    engine.run(engine.resource_group(**TAGGED))
    ignoring = engine.resource_group(inputs={"tags": {"team": "b"}}, ignore_changes=("tags.team",))
    assert engine.actions(ignoring) == {"group": "same"}


def test_replace_on_changes_replaces_for_what_could_be_updated(engine):
    engine.run(engine.resource_group(), engine.identity(**TAGGED))
    changed = engine.identity(inputs={"tags": {"team": "b"}}, replace_on_changes=("tags",))
    (_, step) = engine.run(engine.resource_group(), changed, dry_run=True).steps
    assert (step.action, step.reasons) == ("replace", ("tags.team",))


def test_what_is_protected_is_neither_deleted_nor_replaced(engine, arm):
    engine.run(engine.resource_group(), engine.identity(protect=True))
    deployment = engine.run(engine.resource_group(), dry_run=True)
    assert deployment.faults[0].startswith("azure-native:managedidentity:UserAssignedIdentity 'one': it is protected")
    assert engine.run(engine.resource_group()).faults == deployment.faults
    with pytest.raises(Refused, match="it is protected, and location can only change by replacing it"):
        engine.run(engine.resource_group(), engine.identity(protect=True, inputs={"location": "northeurope"}))
    assert arm("GET", f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one")


def test_what_is_retained_is_only_forgotten(engine, arm):
    engine.run(engine.resource_group(), engine.identity(retain_on_delete=True))
    assert engine.run(engine.resource_group()).steps[-1].action == "forget"
    assert arm("GET", f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one")
    assert len(engine.state.entries) == 1


def test_what_goes_with_another_is_not_deleted_by_itself(engine_on, service):
    needed = engine_on.identity()
    engine_on.run(engine_on.resource_group(), needed, engine_on.credential(deleted_with=needed.urn))
    service.asked.clear()
    engine_on.run(engine_on.resource_group())
    deleted = [path.rpartition("/")[2] for method, path, _ in service.asked if method == "DELETE"]
    assert deleted == ["id-one"]
    assert len(engine_on.state.entries) == 1


def test_what_exists_is_not_overwritten_but_adopted(engine, arm):
    engine.run(engine.resource_group())
    resource_id = f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"
    arm("PUT", resource_id, {"location": "westeurope", "tags": {"made": "by hand"}})
    faults = engine.run(engine.resource_group(), engine.identity(), dry_run=True).faults
    assert "exists and is not in the state of this stack; adopt it with pulumi.ResourceOptions(import_=" in faults[0]
    other = engine.identity(import_id=resource_id, inputs={"tags": {"made": "by code"}})
    assert "differs from the program in tags.made" in engine.run(engine.resource_group(), other, dry_run=True).faults[0]
    equal = engine.identity(import_id=resource_id, inputs={"tags": {"made": "by hand"}})
    assert engine.run(engine.resource_group(), equal).steps[-1].action == "import"
    assert engine.actions(engine.resource_group(), equal) == {"group": "same", "one": "same"}


def test_what_is_not_there_cannot_be_adopted(engine):
    engine.run(engine.resource_group())
    resource_id = f"{engine.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"
    faults = engine.run(engine.resource_group(), engine.identity(import_id=resource_id), dry_run=True).faults
    assert faults[0].endswith(f"{resource_id} does not exist and cannot be adopted")


def test_a_preview_tells_all_faults_at_once(engine):
    deployment = engine.run(
        engine.identity(inputs={"resourceName": None}),
        replace(engine.identity("two"), type="azure-native:web:WebApp"),
        dry_run=True,
    )
    nameless, unknown = deployment.faults
    assert "the input 'resourceName' is missing" in nameless
    assert unknown.startswith("azure-native:web:WebApp 'two': the engine does not know this resource type; it knows")


def test_two_resources_cannot_have_one_id(engine):
    twin = engine.identity("two", inputs={"resourceName": "id-one"})
    faults = engine.run(engine.resource_group(), engine.identity(), twin, dry_run=True).faults
    assert "is already what urn:pulumi:dev::shop::azure-native:managedidentity:UserAssignedIdentity::one" in faults[0]


def test_an_unknown_name_leaves_the_id_open(engine):
    (step,) = engine.run(engine.identity(inputs={"resourceGroupName": UNKNOWN}), dry_run=True).steps
    assert (step.action, step.id) == ("create", None)


def test_a_secret_input_stays_secret_in_differences_and_in_the_file(engine):
    engine.run(engine.resource_group(inputs={"tags": Secret({"key": "hunter-1"})}))
    changed = engine.resource_group(inputs={"tags": Secret({"key": "hunter-2"})})
    (step,) = engine.run(changed).steps
    assert (step.action, step.differences[0].after) == ("update", "[secret]")
    assert "hunter" not in engine.path.read_text()
    assert engine.state.entries[step.urn].inputs["tags"] == Secret({"key": "hunter-2"})


def test_a_failure_names_the_resource_and_what_arm_says_and_the_next_run_goes_on(engine_on, service):
    said = {"error": {"code": "SkuNotAvailable", "message": "not in this region"}}
    service.tell("PUT", "/id-one", (409, {}, said), (201, {}, {"id": "x", "properties": {}}))
    deployment = engine_on.deployment()
    deployment.custom(engine_on.resource_group(), "")
    with pytest.raises(Refused, match=r"'one': writing /sub.*/id-one: SkuNotAvailable: not in this region"):
        deployment.custom(engine_on.identity(), "")
    with pytest.raises(Refused, match="not begun, since another resource failed"):
        deployment.custom(engine_on.identity("two"), "")
    steps = engine_on.run(engine_on.resource_group(), engine_on.identity()).steps
    assert [step.action for step in steps] == ["same", "create"]


def test_what_was_half_made_under_another_name_is_deleted_in_the_end(engine_on, service):
    said = {"error": {"code": "Conflict", "message": "no"}}
    service.tell("PUT", "/id-one", (409, {}, said))
    with pytest.raises(Refused, match="Conflict: no"):
        engine_on.run(engine_on.resource_group(), engine_on.identity())
    half = next(path for method, path, _ in service.asked if method == "PUT" and path.endswith("/id-one"))
    service.stored[half] = {"properties": {"provisioningState": "Failed"}}
    engine_on.run(engine_on.resource_group(), engine_on.identity(inputs={"resourceName": "id-new"}))
    assert half not in service.stored
    assert {entry.name for entry in engine_on.state.entries.values()} == {"group", "one"}


OPERATION = {"Azure-AsyncOperation": "{url}/operation", "Retry-After": "0"}


def test_a_long_operation_is_followed_to_its_end(engine_on, service):
    service.tell("PUT", "/rg", (201, OPERATION, {"id": "x", "properties": {"provisioningState": "Creating"}}))
    service.tell("GET", "/operation", (200, {}, {"status": "Running"}), (200, {}, {"status": "Succeeded"}))
    service.tell("GET", "/rg", (404, {}, {}), (200, {}, {"id": "x", "location": "westeurope"}))
    (step,) = engine_on.run(engine_on.resource_group()).steps
    assert engine_on.state.entries[step.urn].outputs["location"] == "westeurope"


def test_a_long_operation_that_fails_says_why(engine_on, service):
    service.tell("PUT", "/rg", (201, OPERATION, {"properties": {"provisioningState": "Creating"}}))
    failed = {"status": "Failed", "error": {"code": "QuotaExceeded", "message": "0 cores left"}}
    service.tell("GET", "/operation", (200, {}, failed))
    with pytest.raises(Refused, match="ended as Failed. QuotaExceeded: 0 cores left"):
        engine_on.run(engine_on.resource_group())


def test_a_long_operation_that_hangs_ends_at_the_timeout_of_the_program(engine_on, service):
    service.tell("PUT", "/rg", (201, OPERATION, {"properties": {"provisioningState": "Creating"}}))
    service.tell("GET", "/operation", (200, {"Retry-After": "0"}, {"status": "Running"}))
    begun = time.monotonic()
    with pytest.raises(Refused, match="did not end within 300ms. It may still go on; its state is unknown"):
        engine_on.run(engine_on.resource_group(timeouts=(("create", "300ms"),)))
    assert time.monotonic() - begun < 5
    assert next(iter(engine_on.state.entries.values())).begun == "create"


def test_r42_a_principal_that_the_directory_does_not_know_yet_is_waited_for(engine_on, service):
    late = {"error": {"code": "PrincipalNotFound", "message": "Principal 1234 does not exist in the directory"}}
    service.tell("PUT", "/grant", (400, {}, late), (201, {}, {"id": "x", "properties": {}}))
    inputs = {"scope": engine_on.id, "roleAssignmentName": "grant", "principalId": "1234", "roleDefinitionId": "/r"}
    grant = replace(engine_on.identity("grant"), type="azure-native:authorization:RoleAssignment", inputs=inputs)
    assert [step.action for step in engine_on.run(grant).steps] == ["create"]
    assert len([one for one in service.asked if one[0] == "PUT"]) == 2


def test_r42_a_principal_that_never_comes_ends_the_wait_with_its_id(engine_on, service):
    late = {"error": {"code": "PrincipalNotFound", "message": "Principal 1234 does not exist in the directory"}}
    service.tell("PUT", "/grant", (400, {}, late))
    inputs = {"scope": engine_on.id, "roleAssignmentName": "grant", "principalId": "1234", "roleDefinitionId": "/r"}
    grant = replace(engine_on.identity("grant"), type="azure-native:authorization:RoleAssignment", inputs=inputs)
    with pytest.raises(Refused, match="did not end within 1s.*Principal 1234 does not exist"):
        engine_on.run(replace(grant, timeouts=(("create", "1s"),)))


def test_a_deletion_that_fails_stops_there_and_is_tried_again(engine_on, service):
    engine_on.run(engine_on.resource_group(), engine_on.identity())
    locked = {"error": {"code": "ScopeLocked", "message": "delete the lock first"}}
    service.tell("DELETE", "/rg", (409, {}, locked), (200, {}, None))
    deployment = engine_on.run()
    assert "deleting /subscriptions" in deployment.faults[0]
    assert "ScopeLocked: delete the lock first" in deployment.faults[0]
    assert [entry.name for entry in engine_on.state.entries.values()] == ["group"]
    assert [step.action for step in engine_on.run().steps] == ["delete"]
    assert engine_on.state.entries == {}
