"""What terraform's JSON of a plan becomes: actions, reasons, differences; which resources exist already."""

from typing import Any

import pytest

from mlops_kit.infra import terraform_plan
from mlops_kit.infra.changes import Difference

GROUP = "/subscriptions/1/resourceGroups/rg"
ML = "Microsoft.MachineLearningServices/workspaces"


def change(actions: list[str], before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    outer = {key: more.pop(key) for key in ("action_reason", "mode", "type") if key in more}
    return {
        "address": "module.x.azapi_resource.this",
        "mode": "managed",
        "type": "azapi_resource",
        "name": "this",
        "change": {"actions": actions, "before": before, "after": after, **more},
        **outer,
    }


def only(one: dict[str, Any]) -> Any:
    return terraform_plan.changes({"resource_changes": [one]}, "dev").items[0]


STORAGE = {"type": "Microsoft.Storage/storageAccounts@2024-01-01", "name": "st", "body": {"sku": {"name": "a"}}}


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        (["no-op"], "same"),
        (["create"], "create"),
        (["update"], "update"),
        (["delete"], "delete"),
        (["delete", "create"], "replace"),
        (["create", "delete"], "replace"),
        (["forget"], "forget"),
    ],
)
def test_actions_have_our_names(actions, action):
    found = only(change(actions, STORAGE, STORAGE))
    assert (found.action, found.type, found.name) == (action, "Microsoft.Storage/storageAccounts", "st")


@pytest.mark.parametrize("actions", [["no-op"], ["update"]])
def test_an_import_is_an_adoption_whatever_else_it_does(actions):
    assert only(change(actions, STORAGE, STORAGE, importing={"id": "x"})).action == "adopt"


def test_what_is_imported_and_then_replaced_is_a_replacement():
    assert only(change(["delete", "create"], STORAGE, STORAGE, importing={"id": "x"})).action == "replace"


def test_of_an_adopted_resource_only_what_the_program_says_differs():
    before = {**STORAGE, "body": {"sku": {"name": "a"}, "made": "1999"}}
    after = {**STORAGE, "body": {"sku": {"name": "b"}, "kind": None}}
    found = only(change(["update"], before, after, importing={"id": "x"}))
    assert found.differences == (Difference("body.sku.name", "a", "b"),)


def test_of_a_managed_resource_everything_differs_that_changes():
    after = {**STORAGE, "body": {"sku": {"name": "a"}, "kind": "x"}}
    assert only(change(["update"], STORAGE, after)).differences == (Difference("body.kind", None, "x"),)


def test_what_only_the_run_will_tell_is_no_difference():
    found = only(
        change(["update"], {**STORAGE, "output": {"a": 1}}, {**STORAGE, "body": None}, after_unknown={"body": True})
    )
    assert found.differences == ()


def test_a_part_that_only_the_run_will_tell_is_not_shown_as_taken_away():
    before = {**STORAGE, "identity": [{"ids": ["/a"], "type": "x"}], "body": {"who": "0ba3", "n": 1, "list": [1, 2]}}
    after = {**STORAGE, "identity": [{"ids": [None], "type": "x"}], "body": {"n": 1, "list": [1, None]}}
    unknown = {"identity": [{"ids": [True]}], "body": {"who": True, "list": [False, True], "n": False, "none": {}}}
    assert only(change(["update"], before, after, after_unknown=unknown)).differences == (
        Difference("identity[0].ids[0]", "/a", "[unknown]"),
        Difference("body.who", "0ba3", "[unknown]"),
        Difference("body.list[1]", 2, "[unknown]"),
    )


def test_marks_of_sensitive_values_mask_them_and_marks_without_any_do_not():
    after = {**STORAGE, "body": {"sku": {"name": "b"}}}
    hidden = only(change(["update"], STORAGE, after, after_sensitive={"body": {"sku": {"name": True}}}))
    assert hidden.differences == (Difference("body.sku.name", "[secret]", "[secret]"),)
    shown = only(change(["update"], STORAGE, after, after_sensitive={"body": {"sku": {}}}, before_sensitive=False))
    assert shown.differences == (Difference("body.sku.name", "a", "b"),)


def test_r43_a_replacement_names_the_property_that_cannot_change():
    after = {**STORAGE, "body": {"sku": {"name": "b"}, "tier": 1}, "replace_triggers_refs": ["sku.name"]}
    found = only(change(["delete", "create"], STORAGE, after, replace_paths=[["body"]]))
    assert found.reasons == ("body.sku.name cannot change in place",)


def test_a_replacement_by_another_name_or_after_a_failure_says_so():
    renamed = only(change(["delete", "create"], STORAGE, {**STORAGE, "name": "other"}, replace_paths=[["name"]]))
    assert (renamed.name, renamed.reasons) == ("other", ("name cannot change in place",))
    tainted = change(["delete", "create"], STORAGE, STORAGE, action_reason="replace_because_tainted")
    assert only(tainted).reasons == ("its creation failed midway",)


def test_a_deletion_says_why():
    found = only(change(["delete"], STORAGE, None, action_reason="delete_because_each_key"))
    assert found.reasons == ("the values no longer want it",)


def test_data_sources_are_no_changes():
    plan = {"resource_changes": [change(["read"], mode="data"), change(["create"], None, STORAGE)]}
    assert len(terraform_plan.changes(plan, "dev").items) == 1


def test_drift_and_outputs_are_told():
    plan = {
        "resource_drift": [change(["update"], STORAGE, {**STORAGE, "tags": {"a": "b"}}), change(["delete"], STORAGE)],
        "output_changes": {"b": {"actions": ["create"]}, "a": {"actions": ["update"]}, "c": {"actions": ["no-op"]}},
    }
    found = terraform_plan.changes(plan, "dev")
    assert [item.action for item in found.drift] == ["update", "delete"]
    assert found.outputs == ("a", "b")


def after(kind: str, name: str, parent: str | None = None) -> dict[str, Any]:
    return {"type": f"{kind}@2024-01-01", "name": name, "parent_id": parent}


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (after("Microsoft.Resources/resourceGroups", "rg"), GROUP),
        (after(ML, "w"), f"{GROUP}/providers/{ML}/w"),
        (after(ML, "w", GROUP), f"{GROUP}/providers/{ML}/w"),
        (after(f"{ML}/computes", "cpu"), f"{GROUP}/providers/{ML}/only/computes/cpu"),
        (after(f"{ML}/computes", "cpu", f"{GROUP}/providers/{ML}/w"), f"{GROUP}/providers/{ML}/w/computes/cpu"),
        (
            after("Microsoft.Insights/diagnosticSettings", "logs", f"{GROUP}/providers/{ML}/w"),
            f"{GROUP}/providers/{ML}/w/providers/Microsoft.Insights/diagnosticSettings/logs",
        ),
        (after("Microsoft.Storage/storageAccounts/blobServices/containers", "data"), None),
        ({"type": None, "name": "x"}, None),
        ({"type": f"{ML}@1", "name": None}, None),
    ],
)
def test_the_id_of_what_is_planned_follows_from_type_name_and_parent(planned, expected):
    assert terraform_plan.resource_id(planned, [after(ML, "only")], GROUP) == expected


def test_a_parent_that_could_be_one_of_two_is_not_guessed():
    two = [after(ML, "one"), after(ML, "two")]
    assert terraform_plan.resource_id(after(f"{ML}/computes", "cpu"), two, GROUP) is None


def test_what_would_be_created_and_is_there_is_imported_by_its_id_and_version():
    creates = [change(["create"], None, after(ML, "w")), change(["update"], None, after(ML, "w2"))]
    asked: list[tuple[str, str]] = []

    def is_there(place: str, version: str) -> bool:
        asked.append((place, version))
        return True

    found = terraform_plan.existing({"resource_changes": creates}, GROUP, is_there)
    assert found == {"module.x.azapi_resource.this": f"{GROUP}/providers/{ML}/w?api-version=2024-01-01"}
    assert asked == [(f"{GROUP}/providers/{ML}/w", "2024-01-01")]
    assert terraform_plan.import_blocks(found) == (
        "import {\n  to = module.x.azapi_resource.this\n"
        f'  id = "{GROUP}/providers/{ML}/w?api-version=2024-01-01"\n}}\n'
    )
