"""Cloud metadata, managed identity and tokens, as azure-identity and azure-ai-ml use them."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from mlops_kit.local.settings import API_URL, MANAGEMENT_URL


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


@pytest.mark.parametrize(
    "scope", [f"{MANAGEMENT_URL}/.default", "https://ml.azure.test/.default", "https://storage.azure.com/.default"]
)
def test_default_credential_gets_a_token_for_the_audience_of_its_scope(plane_env, scope):
    from azure.identity import DefaultAzureCredential

    token = DefaultAzureCredential().get_token(scope)
    claims = _claims(token.token)
    assert claims["aud"] == scope.removesuffix("/.default")
    assert claims["exp"] == token.expires_on


def test_sdk_finds_the_local_cloud_and_its_hosts(ml):
    from azure.ai.ml._azure_environments import _get_cloud_details

    cloud = _get_cloud_details()
    assert cloud["resource_manager"] == MANAGEMENT_URL
    assert cloud["storage_endpoint"] == "core.mlops.test"
    assert cloud["aml_resource_id"] == "https://ml.azure.test"


def _status(url: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_token_is_refused_without_the_secret_of_the_instance(plane_env):
    status, body = _status(f"{plane_env['IDENTITY_ENDPOINT']}?resource=x&api-version=2019-08-01", {})
    assert status == 401
    assert "X-IDENTITY-HEADER" in body["error"]["message"]


def test_token_without_a_resource_is_refused_by_name(plane_env):
    secret = {"X-IDENTITY-HEADER": plane_env["IDENTITY_HEADER"]}
    status, body = _status(f"{plane_env['IDENTITY_ENDPOINT']}?api-version=2019-08-01", secret)
    assert status == 400
    assert body["error"]["target"] == "resource"


def test_call_without_a_token_is_refused(plane_env):
    status, body = _status(f"{MANAGEMENT_URL}/subscriptions?api-version=2022-12-01", {})
    assert status == 401
    assert body["error"]["code"] == "AuthenticationFailed"


def test_call_with_a_foreign_token_is_refused(plane_env):
    foreign = {"Authorization": "Bearer " + ".".join(["eyJhbGciOiJub25lIn0"] * 3)}
    status, body = _status(f"{MANAGEMENT_URL}/subscriptions?api-version=2022-12-01", foreign)
    assert status == 401
    assert body["error"]["code"] == "InvalidAuthenticationToken"


def test_unknown_route_answers_501_naming_method_and_path(plane_env):
    from azure.identity import DefaultAzureCredential

    token = DefaultAzureCredential().get_token(f"{MANAGEMENT_URL}/.default").token
    status, body = _status(f"{API_URL}/no/such/route", {"Authorization": f"Bearer {token}"})
    assert status == 501
    assert "GET /no/such/route" in body["error"]["message"]


def test_sdk_accepts_a_table_by_the_schema_and_refuses_one_without_paths(plane_env):
    from azure.ai.ml._utils._data_utils import validate_mltable_metadata
    from azure.ai.ml.constants._common import MLTABLE_METADATA_SCHEMA_URL_FALLBACK
    from azure.ai.ml.exceptions import ValidationException

    _, schema = _status(MLTABLE_METADATA_SCHEMA_URL_FALLBACK, {})
    table = {"type": "mltable", "paths": [{"file": "./a.csv"}], "transformations": [{"read_delimited": {}}]}
    validate_mltable_metadata(mltable_metadata_dict=table, mltable_schema=schema)
    with pytest.raises(ValidationException, match="'paths' is a required property"):
        validate_mltable_metadata(mltable_metadata_dict={"type": "mltable"}, mltable_schema=schema)
