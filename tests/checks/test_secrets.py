"""Secrets in plain text, told by their keys or their forms."""

import time

import pytest

from mlops_kit.checks import secrets

JOB = "command: {command}\nenvironment: azureml:sklearn@latest\nenvironment_variables:\n  {key}: {value}\n"
# Put together here, so that no scanner of this repository takes them for real ones.
JWT = ".".join(["eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0In0", "c2lnbmF0dXJl"])
AWS = "AKI" + "AIOSFODNN7QWERTYU"
GITHUB = "gh" + "p_" + "a1B2" * 9
ACCOUNT_KEY = "Account" + "Key=" + "q9Zk" * 16 + "=="
SIGNATURE = "https://store.blob.core.windows.net/a?sv=2024&si" + "g=" + "a1B2" * 8 + "%3D"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----"


def _found(folder, key="NAME", value="value", command="echo"):
    return folder.found(JOB.format(command=command, key=key, value=value))


@pytest.mark.parametrize(
    "key",
    [
        "PASSWORD",
        "db_password",
        "dbPassword",
        "DB-PWD",
        "client_secret",
        "AZURE_CLIENT_SECRET",
        "API_KEY",
        "apiKey",
        "AZURE_OPENAI_API_KEY",
        "account_key",
        "AZURE_STORAGE_CONNECTION_STRING",
        "sas_token",
        "HF_TOKEN",
        "token",
        "SAS",
    ],
)
def test_a_value_under_a_key_that_names_a_secret_is_found(folder, key):
    (found,) = _found(folder, key, "s3cr3t-enough")
    assert found.startswith(
        f"4:{len(key) + 5}: error[MK0603]: `{key}` holds a secret in plain text; write `${{secret.NAME}}`"
    )
    assert "s3cr3t-enough" not in found


@pytest.mark.parametrize(
    "key",
    [
        "token_key",
        "secret_name",
        "max_tokens",
        "tokenizer",
        "pad_token",
        "primary_key",
        "text_key",
        "KEY_VAULT",
        "public_key",
        "ssh_key_value",
        "PASSWORD_FILE",
        "compass",
        "sassy",
        "partition_key",
        "foreign_key",
    ],
)
def test_keys_that_only_sound_alike_pass(folder, key):
    assert _found(folder, key, "something") == []


@pytest.mark.parametrize(
    "value",
    [
        "<your-key>",
        '""',
        "${secret.DB}",
        "$(DB_PASSWORD)",
        "$DB_PASSWORD",
        "'{{ password }}'",
        "XXXXXXXXXXXX",
        "true",
        "5",
        "EXAMPLE_API_KEY",
        "example-password",
        "dummy",
        "changeme",
        "/run/secrets/db",
        "./key.pem",
        "'***'",
        "your_api_key",
        "https://vault.vault.azure.net/secrets/db",
        "?xx=XXXX-XX-XX&xx=xxxx&xxx=XX",
    ],
)
def test_places_to_fill_in_and_ways_to_a_secret_pass(folder, value):
    assert _found(folder, "DB_PASSWORD", value) == []


@pytest.mark.parametrize("secret", [JWT, AWS, GITHUB, ACCOUNT_KEY, SIGNATURE, PEM])
def test_a_text_in_the_form_of_a_secret_is_found_under_any_key(folder, secret):
    (found,) = _found(folder, "SETTING", f'"{secret}"')
    assert found.startswith("4:")
    assert "error[MK0603]: the text holds a secret in plain text" in found
    assert secret not in found


def test_a_place_to_fill_in_has_the_form_and_is_no_secret(folder):
    assert _found(folder, "SETTING", "AccountName=a;AccountKey=<account-key-of-yours>;EndpointSuffix=core") == []


def test_a_secret_in_a_command_is_shown_at_its_own_column(folder):
    (found,) = _found(folder, command=f"curl --header {GITHUB} https://host")
    assert found.startswith("1:24: error[MK0603]")
    (found,) = _found(folder, command="python load.py --db-password hunter2-abc --rows 5")
    assert found.startswith("1:39: error[MK0603]")


@pytest.mark.parametrize(
    "command",
    [
        "python a.py --password $DB_PASSWORD --rows 5",
        "python a.py --api-key ${{inputs.key}} --a",
        "python a.py --password <password> -b",
        "curl https://host/a?sig=<signature>&b=c",
        "python a.py --password --other-option value",
        "curl https://user:${PASSWORD}@host/path",
    ],
)
def test_commands_that_take_the_secret_from_elsewhere_pass(folder, command):
    text = JOB.format(command=command, key="A", value="b") + "inputs:\n  key: a\n"
    assert [line for line in folder.found(text) if "MK0603" in line] == []


def test_the_default_of_an_input_that_names_a_secret_is_found(folder):
    text = (
        "name: c\ntype: command\ncommand: echo ${{inputs.api_key}}\nenvironment: azureml:e@latest\n"
        "inputs:\n  api_key:\n    type: string\n    default: s3cr3t-enough\n"
    )
    (found,) = folder.found(text, "components/c.yml")
    assert found.startswith("8:14: error[MK0603]: `default` holds a secret in plain text")


def test_credentials_of_a_datastore_and_items_of_lists_are_found(folder):
    store = (
        f"type: azure_blob\nname: s\naccount_name: a\ncontainer_name: c\ncredentials: {{account_key: {'q9Zk' * 8}}}\n"
    )
    (found,) = folder.found(store, "datastores/s.yml")
    assert found.startswith("5:28: error[MK0603]")
    spark = f"tags:\n  a: [one, '{GITHUB}']\n"
    assert any("error[MK0603]" in line for line in folder.found(JOB.format(command="echo", key="A", value="b") + spark))


def test_where_a_secret_is_written_once_it_is_told_once(folder):
    assert len(_found(folder, "GH_TOKEN", GITHUB)) == 1


def test_secrets_of_conda_files_requirements_and_dockerfiles_are_found(folder):
    index = "--extra-index-url https://me:s3cr3t-enough@host/simple"
    (found,) = folder.found(f"dependencies: [pip]\nvariables: {{A: '{GITHUB}'}}\n", "environments/conda.yml")
    assert found.startswith("2:17: error[MK0603]")
    folder.put("environments/requirements.txt", f"six\n{index}\n")
    text = "name: a\nimage: python\nconda_file: requirements.txt\n"
    (found,) = folder.found(text, "environments/a.yml")
    assert "requirements.txt:2:30: error[MK0603]" in found
    folder.put("environments/own/Dockerfile", f"FROM python:3.12\nRUN pip install \\\n  {index} mine\n")
    (found,) = folder.found("name: a\nbuild: {path: own}\n", "environments/a.yml")
    assert "Dockerfile:3:32: error[MK0603]" in found
    assert found.endswith("take it out of the file and replace it: it stays in the history")


def test_a_secret_in_an_inline_specification_is_told_once(folder):
    text = f"command: echo\nenvironment:\n  image: python\n  conda_file: {{dependencies: [pip], name: '{GITHUB}'}}\n"
    (found,) = folder.found(text)
    assert found.startswith("4:44: error[MK0603]")


@pytest.mark.parametrize("piece", ["AccountKey=<", "eyJ-", "<", "--a-", "sig=a", "://a:", "-----BEGIN A "])
def test_a_long_text_takes_no_longer_than_its_length_asks_for(piece):
    began = time.process_time()
    secrets.form(piece * 5000)
    assert time.process_time() - began < 1
