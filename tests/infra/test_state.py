"""Where the engines keep their state: the environment says it, and a protected one has to."""

import pytest

from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra.names import physical_names
from mlops_kit.infra.state import State, state
from mlops_kit.infra.terraform_folder import assigned

ACCOUNT = {"storage_account": "stshopstate"}


def test_both_engines_are_told_the_same_container(load, base):
    base["infra"]["state"] = {**ACCOUNT, "container": "infrastructure"}
    found = state(load(base, "test"))
    assert found == State("stshopstate", "infrastructure", "shop/test.tfstate")
    assert found.pulumi == "azblob://infrastructure?storage_account=stshopstate"
    assert assigned(found.terraform) == (
        'storage_account_name = "stshopstate"\n'
        'container_name       = "infrastructure"\n'
        'key                  = "shop/test.tfstate"\n'
        "use_azuread_auth     = true\n"
    )


def test_the_container_has_a_name_where_none_is_given(load, base):
    base["infra"]["state"] = ACCOUNT
    assert state(load(base)) == State("stshopstate", "state", "shop/dev.tfstate")


def test_an_environment_that_says_nothing_has_a_file_unless_it_is_protected(load, base):
    assert state(load(base)) is None
    base["protected"] = True
    with pytest.raises(EnvironmentFileError) as fault:
        state(load(base))
    assert "'dev' is protected and does not say where its state is kept: no infra.state.storage_account" in str(
        fault.value
    )
    assert str(fault.value).startswith("shop/environments/base.yaml:1:")


def test_an_environment_on_this_machine_has_a_file_whatever_the_others_have(load, base):
    base["infra"]["state"] = ACCOUNT
    assert state(load({**base, "protected": True}, "here", own="local: {}\n")) is None


def test_state_does_not_lie_in_what_it_is_about(load, base):
    base["infra"]["state"] = {"storage_account": physical_names(load(base))["storage"]}
    with pytest.raises(EnvironmentFileError, match="is made and destroyed with the environment; state needs another"):
        state(load(base))
