"""What is shown holds no secret (field report R48)."""

import pytest

from mlops_kit.workspace.secrets import hidden, masked


def test_value_under_a_telling_key_is_hidden_at_any_depth():
    shown = masked(
        {"environment_variables": {"DB_PASSWORD": "p", "API_KEY": "k", "EPOCHS": "3"}, "list": [{"secret": "s"}]}
    )

    assert shown == {
        "environment_variables": {"DB_PASSWORD": "***", "API_KEY": "***", "EPOCHS": "3"},
        "list": [{"secret": "***"}],
    }


def test_signature_in_an_address_is_hidden_and_the_rest_stays():
    assert masked("https://a.blob.x/c/f.csv?sv=1&sig=abc%2F&se=2") == "https://a.blob.x/c/f.csv?sv=1&sig=***&se=2"


def test_password_in_an_address_is_hidden():
    assert masked("git+https://me:hunter2@host/repo.git") == "git+https://me:***@host/repo.git"


def test_account_key_in_a_connection_string_is_hidden():
    assert masked("AccountName=a;AccountKey=Eby8==;EndpointSuffix=x") == "AccountName=a;AccountKey=***;EndpointSuffix=x"


def test_what_is_no_secret_stays_as_it_is():
    document = {
        "name": "x",
        "version": 1,
        "ratio": 0.5,
        "tags": {},
        "path": "azureml://datastores/d/paths/p",
        "none": None,
    }

    assert masked(document) == document


@pytest.mark.parametrize(
    "key", ["subscription_key", "private_key", "storage_key", "signing_key", "PAT", "HF_TOKEN", "sas", "apikey"]
)
def test_names_of_secrets_are_known(key):
    assert masked({key: "value"}) == {key: "***"}


@pytest.mark.parametrize("key", ["tokenizer", "disaster", "path", "pattern", "monkey", "key", "max_tokens"])
def test_names_that_only_sound_like_secrets_are_shown(key):
    assert masked({key: "value"}) == {key: "value"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("variables.LOGIN", {"variables": {"LOGIN": "***", "HOST": "h"}, "command": "c"}),
        ("command", {"variables": {"LOGIN": "l", "HOST": "h"}, "command": "***"}),
        ("command.arguments", {"variables": {"LOGIN": "l", "HOST": "h"}, "command": "***"}),
        ("variables.OTHER", {"variables": {"LOGIN": "l", "HOST": "h"}, "command": "c"}),
    ],
)
def test_what_is_known_as_secret_is_hidden_whatever_its_name(path, expected):
    assert hidden({"variables": {"LOGIN": "l", "HOST": "h"}, "command": "c"}, path) == expected
