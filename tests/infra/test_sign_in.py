"""One sign-in for our own commands and for the tools."""

import pytest

from mlops_kit.infra.sign_in import signed_in

AZURE = {
    "AZURE_TENANT_ID": "tenant",
    "AZURE_CLIENT_ID": "client",
    "AZURE_CLIENT_SECRET": "secret",
    "AZURE_FEDERATED_TOKEN_FILE": "/token",
}


@pytest.mark.parametrize(
    ("auth", "added"),
    [
        ("default", {"ARM_TENANT_ID": "tenant", "ARM_CLIENT_ID": "client", "ARM_CLIENT_SECRET": "secret"}),
        ("cli", {"ARM_USE_CLI": "true"}),
        ("sp", {"ARM_TENANT_ID": "tenant", "ARM_CLIENT_ID": "client", "ARM_CLIENT_SECRET": "secret"}),
        (
            "oidc",
            {
                "ARM_USE_OIDC": "true",
                "ARM_TENANT_ID": "tenant",
                "ARM_CLIENT_ID": "client",
                "ARM_OIDC_TOKEN_FILE_PATH": "/token",
            },
        ),
    ],
)
def test_tools_sign_in_as_the_environment_says(auth, added):
    assert signed_in(AZURE, auth, "sub") == {**AZURE, "ARM_SUBSCRIPTION_ID": "sub", **added}


def test_identity_that_is_set_for_the_tools_is_not_mixed_with_another():
    own = {**AZURE, "ARM_CLIENT_ID": "own"}
    assert signed_in(own, "sp", "sub") == {**own, "ARM_SUBSCRIPTION_ID": "sub"}


def test_subscription_is_the_environments_whatever_the_shell_says():
    assert signed_in({"ARM_SUBSCRIPTION_ID": "other"}, "cli", "sub")["ARM_SUBSCRIPTION_ID"] == "sub"


def test_default_takes_a_token_file_where_there_is_no_secret_and_nothing_of_half_an_identity():
    federated = {name: value for name, value in AZURE.items() if name != "AZURE_CLIENT_SECRET"}
    assert signed_in(federated, "default", "sub")["ARM_OIDC_TOKEN_FILE_PATH"] == "/token"
    half = {"AZURE_CLIENT_ID": "client"}
    assert signed_in(half, "default", "sub") == {**half, "ARM_SUBSCRIPTION_ID": "sub"}


def test_what_is_not_set_is_not_made_up():
    assert signed_in({"AZURE_CLIENT_ID": ""}, "sp", "sub") == {"AZURE_CLIENT_ID": "", "ARM_SUBSCRIPTION_ID": "sub"}
