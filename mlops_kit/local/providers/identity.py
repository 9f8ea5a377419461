"""Who a caller is: the cloud's metadata, and tokens of a managed identity as App Service hands them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.local.arm.routes import Route
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, Reply
from mlops_kit.local.providers import roles
from mlops_kit.local.settings import MANAGEMENT_URL, PORTAL_URL, STORAGE_SUFFIX, TENANT
from mlops_kit.local.signing import OBJECT_ID

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

CLOUD = {
    "name": "AzureLocal",
    # azure-ai-ml 1.35.2 derives the audience of data-plane tokens from what follows the second dot.
    "portal": f"{PORTAL_URL}/",
    # It picks this cloud only where this text occurs in ARM_CLOUD_METADATA_URL.
    "resourceManager": MANAGEMENT_URL,
    "authentication": {
        "loginEndpoint": MANAGEMENT_URL,
        "audiences": [MANAGEMENT_URL, f"{MANAGEMENT_URL}/"],
        "tenant": TENANT,
        "identityProvider": "AAD",
    },
    "media": MANAGEMENT_URL,
    "graph": MANAGEMENT_URL,
    "microsoftGraphResourceId": MANAGEMENT_URL,
    "suffixes": {
        "storage": STORAGE_SUFFIX,
        "keyVaultDns": f"vault.{STORAGE_SUFFIX.partition('.')[2]}",
        "acrLoginServer": f"azurecr.{STORAGE_SUFFIX.partition('.')[2]}",
    },
}

# What azure-ai-ml downloads before it registers an MLTable: its own parser has already read the file, and every
# rule of Microsoft's schema that matters is enforced when the table is loaded. So the schema accepts what has paths.
MLTABLE_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "MLTable",
    "type": "object",
    "properties": {
        "type": {"const": "mltable"},
        "paths": {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1}},
        "transformations": {"type": "array"},
        "metadata": {"type": "object"},
    },
    "required": ["paths"],
}


def _metadata(plane: Plane, call: Call) -> Reply:
    """Answer the cloud metadata: a list of clouds, from api-version 2020 on this cloud alone."""
    del plane
    return Reply(200, CLOUD if call.query.get("api-version", "") >= "2020" else [CLOUD])


def _principal(plane: Plane, call: Call) -> str:
    """Return the object id of the identity that a token is asked for; without a name it is the owner's.

    App Service tells user-assigned identities apart by ``client_id``, ``mi_res_id`` or ``object_id``. There is no
    directory here: an object id that a role is assigned to also stands for the client id of that principal.
    """
    named = next((call.query[key] for key in ("client_id", "mi_res_id", "object_id") if call.query.get(key)), "")
    if not named or named.lower() == OBJECT_ID:
        return OBJECT_ID
    for one in plane.store.of_type("Microsoft.ManagedIdentity/userAssignedIdentities"):
        facts = one.properties
        if named.lower() in {one.id.lower(), facts["clientId"].lower(), facts["principalId"].lower()}:
            return str(facts["principalId"])
    for one in plane.store.of_type(roles.ASSIGNMENTS):
        if str(one.properties["principalId"]).lower() == named.lower():
            return named
    raise ArmError(
        400,
        "IdentityNotFound",
        f"No identity '{named}' is known here: create the user-assigned identity, or assign a role to that object id.",
        target="client_id",
    )


def _answered(plane: Plane, call: Call) -> Reply:
    """Answer with a token, or with an error in App Service's shape too: all that a credential shows of it."""
    try:
        return _token(plane, call)
    except ArmError as error:
        shown = {"statusCode": error.status, "message": error.message}
        return Reply(error.status, {**error.reply().body, **shown})


def _token(plane: Plane, call: Call) -> Reply:
    """Answer like App Service's identity endpoint, 2019-08-01: ``resource`` is the audience, ``expires_on`` Unix."""
    if call.headers.get("x-identity-header") != plane.signer.sign("identity"):
        raise ArmError(401, "Unauthorized", "The header X-IDENTITY-HEADER does not hold this instance's secret.")
    resource = call.query.get("resource", "")
    if not resource:
        raise BadRequestError("The query has no 'resource': name the audience of the token.", target="resource")
    principal = _principal(plane, call)
    token, expires = plane.signer.token(resource, principal=principal)
    body = {
        "access_token": token,
        "expires_on": str(expires),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": call.query.get("client_id", ""),
    }
    return Reply(200, body)


def _schema(plane: Plane, call: Call) -> Reply:
    del plane, call
    return Reply(200, MLTABLE_SCHEMA)


ROUTES = (
    Route("GET", "/metadata/endpoints", _metadata, open=True, does="executed"),
    Route("GET", "/msi/token", _answered, open=True, does="executed"),
    Route("GET", "/latest/MLTable.schema.json", _schema, open=True, does="executed"),
)
