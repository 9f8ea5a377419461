"""Protected environments: a saved plan, and a name for everything that is lost."""

import pytest

from mlops_kit.errors import UsageError
from mlops_kit.infra.changes import Change, Changes
from mlops_kit.infra.protection import Losses, check

CREATE = Change("module.storage.this", "Microsoft.Storage/storageAccounts", "st", "create")
REPLACE = Change("module.compute.this", "Microsoft.Compute/clusters", "cpu", "replace", "/subscriptions/1/cpu")
DELETE = Change("module.budget.this", "Microsoft.Consumption/budgets", "budget", "delete", "/subscriptions/1/budget")
LOSSES = Changes("prod", "terraform", (CREATE, REPLACE, DELETE))


def test_an_environment_that_is_not_protected_asks_for_nothing():
    check(LOSSES, Losses(), protected=False, planned=False)


def test_nothing_to_do_needs_no_plan():
    check(Changes("prod", "terraform"), Losses(), protected=True, planned=False)


def test_a_protected_environment_needs_a_saved_plan():
    with pytest.raises(UsageError) as error:
        check(Changes("prod", "terraform", (CREATE,)), Losses(), protected=True, planned=False)
    assert "mlops-kit infra plan -e prod --out FILE" in str(error.value)


def test_r43_all_unnamed_losses_are_told_at_once_as_what_to_type():
    with pytest.raises(UsageError) as error:
        check(LOSSES, Losses(), protected=True, planned=True)
    assert str(error.value).endswith("To allow it: --replace module.compute.this --delete module.budget.this")


@pytest.mark.parametrize("name", ["module.compute.this", "cpu", "CPU", "/subscriptions/1/CPU"])
def test_a_loss_is_named_by_address_name_or_id(name):
    check(LOSSES, Losses((name,), ("budget",)), protected=True, planned=True)


def test_a_replacement_is_not_allowed_by_naming_it_as_a_deletion():
    with pytest.raises(UsageError, match="--delete 'cpu': the plan does not delete anything of that name"):
        check(LOSSES, Losses((), ("cpu", "budget")), protected=True, planned=True)


@pytest.mark.parametrize("protected", [True, False])
def test_a_name_under_which_nothing_is_lost_is_refused(protected):
    with pytest.raises(UsageError, match="--replace 'gpu'"):
        check(LOSSES, Losses(("gpu",)), protected=protected, planned=True)
