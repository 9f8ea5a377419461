"""What is deleted but keeps its name: found as far as one may ask, and refused before anything is changed."""

from typing import Any

import pytest

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.infra.changes import Action, Change, Changes
from mlops_kit.infra.receipt import receipt
from mlops_kit.infra.soft_deleted import Tombstone, as_allowed, find, require_expected, require_possible

GROUP = "/subscriptions/1/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/mlw"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
DELETED_VAULT = "/subscriptions/1/providers/Microsoft.KeyVault/locations/here/deletedVaults/kv"
DELETED_WORKSPACES = "/subscriptions/1/providers/Microsoft.MachineLearningServices/deletedWorkspaces"
VALUES = {
    "resource_group": {"subscription_id": "1", "name": "rg", "location": "here"},
    "storage": {"name": "st"},
    "key_vault": {"name": "kv", "when_soft_deleted": "recover"},
    "workspace": {"name": "mlw", "when_soft_deleted": "recover"},
}
ANSWERS = {
    DELETED_VAULT: {"properties": {"vaultId": VAULT, "location": "here", "scheduledPurgeDate": "then"}},
    DELETED_WORKSPACES: {
        "value": [{"location": "here", "properties": {"workspaceArmId": WORKSPACE, "scheduledPurgeTime": "then"}}]
    },
}
LOST_VAULT = Tombstone("vault", VAULT, "here", "then", "recover")
LOST_WORKSPACE = Tombstone("workspace", WORKSPACE, "here", "then", "recover")


class Service:
    """A service that has what it is given, and refuses to say anything of what is ``forbidden``."""

    def __init__(self, answers: dict[str, Any], *forbidden: str) -> None:
        self.answers = answers
        self.forbidden = forbidden

    def find(self, path: str, version: str, **query: str) -> dict[str, Any] | None:
        del version, query
        if path in self.forbidden:
            raise OperationFailed(f"could not read {path}: AuthorizationFailed (HTTP 403)")
        return self.answers.get(path)

    def send(self, method: str, path: str, version: str, body: Any = None, **query: str) -> None:
        raise NotImplementedError(method, path, version, body, query)


def unheard(text: str) -> None:
    raise AssertionError(text)


def test_a_workspace_comes_back_only_while_its_storage_account_is_there():
    assert find(Service({**ANSWERS, STORAGE: {}}), VALUES, unheard) == (LOST_VAULT, LOST_WORKSPACE)
    vault, workspace = find(Service(ANSWERS), VALUES, unheard)
    assert (vault.lacks, workspace.lacks) == (None, "st")
    assert workspace.fate == "refuse to go on without --delete mlw, for its storage account 'st' is gone"
    with pytest.raises(UsageError, match="nothing was changed. Give --delete mlw to purge it, or infra.suffix another"):
        require_possible((vault, workspace))
    for named in ("MLW", WORKSPACE.upper()):
        allowed = as_allowed((vault, workspace), [named])
        assert [one.policy for one in allowed] == ["recover", "purge"]
        require_possible(allowed)


def test_what_can_come_back_is_not_purged_by_its_name():
    assert as_allowed((LOST_VAULT, LOST_WORKSPACE), ["kv", "mlw"]) == (LOST_VAULT, LOST_WORKSPACE)


def test_an_engine_that_takes_nothing_over_cannot_recover():
    with pytest.raises(UsageError, match=f"Recover it by hand, then run 'pulumi import' for {VAULT}"):
        require_possible((LOST_VAULT,), adopts=False)
    require_possible((LOST_VAULT,), adopts=True)


def planned(action: Action, place: str | None, name: str = "kv") -> Changes:
    return Changes("dev", "terraform", (Change("module.x", "Microsoft.KeyVault/vaults", name, action, place),))


@pytest.mark.parametrize(
    "plan",
    [planned("update", VAULT), planned("same", VAULT), planned("create", None, "other"), Changes("dev", "terraform")],
)
def test_a_plan_that_counts_on_what_is_deleted_frees_no_name(plan):
    with pytest.raises(UsageError, match="Run 'mlops-kit infra refresh -e dev', then plan again"):
        require_expected((LOST_VAULT,), plan, [VAULT.upper()])


@pytest.mark.parametrize("plan", [planned("create", None), planned("create", VAULT), planned("replace", VAULT.lower())])
def test_a_plan_that_makes_it_anew_needs_its_name(plan):
    require_expected((LOST_VAULT,), plan, [VAULT])


def test_what_the_engine_does_not_own_it_makes():
    require_expected((LOST_VAULT,), planned("same", STORAGE, "st"), [STORAGE])


def test_who_may_not_ask_for_one_is_told_and_gets_the_other():
    told: list[str] = []
    assert find(Service({**ANSWERS, STORAGE: {}}, DELETED_VAULT), VALUES, told.append) == (LOST_WORKSPACE,)
    (refused,) = told
    assert refused == (
        "whether a deleted vault keeps its name is not known:"
        f" could not read {DELETED_VAULT}: AuthorizationFailed (HTTP 403)"
    )


def test_a_receipt_says_what_it_could_not_find_out():
    left = receipt(Service({}, GROUP, DELETED_WORKSPACES), VALUES, purged=(), state=None)
    assert (left.group, left.soft_deleted) == (None, ())
    assert left.as_text() == (
        f"not known: could not read {GROUP}: AuthorizationFailed (HTTP 403)\n"
        "not known: whether a deleted workspace keeps its name is not known:"
        f" could not read {DELETED_WORKSPACES}: AuthorizationFailed (HTTP 403)"
    )
    partly = receipt(Service({GROUP: {}, **ANSWERS}, f"{GROUP}/resources"), VALUES, purged=(), state=None)
    assert partly.group == GROUP
    assert len(partly.unknown) == 1
    assert partly.as_text().splitlines()[:2] == ["left behind:", f"  resource group {GROUP}"]
    assert partly.as_text().splitlines()[3] == (
        "  the workspace 'mlw' is deleted but not gone: it is kept until then; at that name 'infra up' will refuse to"
        " go on without --delete mlw, for its storage account 'st' is gone"
    )
