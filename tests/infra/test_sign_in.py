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
        ("default", {}),
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


def test_what_is_set_for_the_tools_already_stays():
    assert signed_in({**AZURE, "ARM_CLIENT_ID": "own"}, "sp", "sub")["ARM_CLIENT_ID"] == "own"


def test_what_is_not_set_is_not_made_up():
    assert signed_in({"AZURE_CLIENT_ID": ""}, "sp", "sub") == {"AZURE_CLIENT_ID": "", "ARM_SUBSCRIPTION_ID": "sub"}
