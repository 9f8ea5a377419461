"""No secret in any stream, however a tool spells it."""

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_kit.infra.changes import Change, Changes, Difference
from mlops_kit.infra.redaction import redactor

SECRET = 'pa"ss w$rd/äö+\\x'


@pytest.mark.parametrize(
    "name",
    [
        "ARM_CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_ACCESS_TOKEN",
        "TF_VAR_password",
        "IDENTITY_HEADER",
        "AZURE_STORAGE_CONNECTION_STRING",
        "ARM_ACCESS_KEY",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "GITHUB_TOKEN",
        "DATABASE_PASSWORD",
        "SOME_API_KEY",
        "ARM_SAS_TOKEN",
        "GH_PAT",
        "AZURE_STORAGE_KEY",
        "ARM_CLIENT_CERTIFICATE",
        "SUBSCRIPTION_KEY",
        "SSH_KEY",
        "SIGNING_KEYS",
    ],
)
def test_variables_that_hold_secrets_are_known_by_their_names(name):
    assert redactor({name: SECRET}).text(f"value is {SECRET}!") == "value is [secret]!"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_SECRET_URL", "https://hooks.example.com/run?sig=abcdefgh"),
        ("TOKEN_ENDPOINT", "https://user:password@example.com/"),
    ],
)
def test_an_address_with_a_query_or_a_user_is_a_secret_where_its_name_says_so(name, value):
    assert redactor({name: value}).text(f"at {value}") == "at [secret]"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("https://hooks.example.com/services/T0/B0/x1y2z3w4v5u6", "https://hooks.example.com/services/T0/B0/[secret]"),
        ("https://hooks.example.com/abcdefghijklmnopqrstuvwxyz/run", "https://hooks.example.com/[secret]/run"),
        ("https://kv.example.com/secrets/database", "https://kv.example.com/secrets/database"),
    ],
)
def test_a_secret_in_the_path_of_an_address_is_masked_wherever_it_stands(value, seen):
    found = redactor({"SLACK_SECRET_URL": value})
    assert found.text(f"at {value}") == f"at {seen}"
    for segment in {*value.split("/")} - {*seen.split("/")}:
        assert found.text(f"token={segment};") == "token=[secret];"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AZURE_CLIENT_ID", "11111111-2222-3333-4444-555555555555"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/run/token.txt"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.com/token"),
        ("PATH", "/usr/local/bin:/usr/bin"),
        ("MLFLOW_TRACKING_URI", "https://example.com/path"),
        ("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentity"),
        ("ARM_CLIENT_CERTIFICATE_PATH", "/run/certificate.pfx"),
        ("KEYVAULT_SECRET_URI", "https://kv.example.com/secrets/name"),
        ("LOOKUP_URL", "https://example.com/?q=word"),
        ("MONKEY", "banana"),
    ],
)
def test_other_variables_are_left_readable(name, value):
    assert redactor({name: value}).text(value) == value


def test_short_values_would_hide_words_that_occur_everywhere():
    assert redactor({"DB_PASSWORD": "local"}).text("the environment local") == "the environment local"


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
        json.dumps({"line": json.dumps({"password": SECRET})}),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_spelling_is_masked(spelled):
    text = redactor({}, [SECRET]).text(spelled)
    assert "[secret]" in text
    assert SECRET not in text
    assert "ss w" not in text
    assert "ss%20w" not in text


def test_parts_that_are_secret_by_themselves_are_masked_alone():
    connection = "DefaultEndpointsProtocol=https;AccountName=store;AccountKey=abc/def+ghi==;EndpointSuffix=core"
    whole = json.dumps({"clientId": "an-id-of-a-client", "clientSecret": "a.secret~of.one"})
    made = redactor({"STORE_CONNECTION_STRING": connection, "AZURE_CREDENTIALS": whole})
    text = "store has abc/def+ghi== and an-id-of-a-client has a.secret~of.one"
    assert made.text(text) == "store has [secret] and an-id-of-a-client has [secret]"


def test_each_line_of_a_key_is_masked_alone():
    key = "-----BEGIN KEY-----\nabcdefghijklmnop\nqrstuvwxyz012345\n-----END KEY-----"
    assert redactor({"TLS_PRIVATE_KEY": key}).text("  qrstuvwxyz012345  ") == "  [secret]  "


def test_json_stays_json():
    whole = json.dumps({"a": SECRET, "b": [SECRET, 1], SECRET: None})
    assert json.loads(redactor({}, [SECRET]).text(whole)) == {"a": "[secret]", "b": ["[secret]", 1], "[secret]": None}


def test_values_are_cleared_at_every_depth():
    found = redactor({}, [SECRET]).value({"a": [{"b": f"x{SECRET}"}], "n": 1, "none": None})
    assert found == {"a": [{"b": "x[secret]"}], "n": 1, "none": None}


def test_changes_are_cleared_wherever_a_text_of_theirs_may_be_seen():
    item = Change(
        f"a {SECRET}", "type", SECRET, "update", f"/x/{SECRET}", (SECRET,), (Difference(SECRET, [SECRET], SECRET),)
    )
    found = redactor({}, [SECRET]).changes(Changes("dev", "pulumi", (item,), (item,), (SECRET,)))
    clear = Change(
        "a [secret]",
        "type",
        "[secret]",
        "update",
        "/x/[secret]",
        ("[secret]",),
        (Difference("[secret]", ["[secret]"], "[secret]"),),
    )
    assert found == Changes("dev", "pulumi", (clear,), (clear,), ("[secret]",))


def test_the_longer_of_two_secrets_goes_first():
    assert redactor({}, ["abcdef", "abcdefghi"]).text("abcdefghi") == "[secret]"


def test_the_redactor_shows_nothing_of_what_it_hides():
    assert SECRET not in repr(redactor({}, [SECRET]))


@given(st.text(min_size=8, max_size=40).filter(lambda text: len(text.strip()) >= 8), st.text(max_size=20))
def test_no_text_with_a_secret_keeps_it(secret, around):
    assert secret.strip() not in redactor({}, [secret]).text(f"{around}{secret}{around}").replace("[secret]", "")
