"""The roles that identities need, by the ids that Azure and the control plane know them by."""

from mlops_kit.infra.roles import BUILT_IN, CUSTOM_ROLES, NEEDS
from mlops_kit.local.providers.built_in_roles import ROLES

# "Azure built-in roles" (learn.microsoft.com): what is easily taken for another.
PUBLISHED = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Message Processor": "8a0f0c08-91a1-4084-bc3d-661d67233fed",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
}


def test_the_control_plane_knows_every_built_in_role_by_the_same_id():
    known = {role.name: role.id for role in ROLES}
    assert {name: known.get(name) for name in BUILT_IN} == BUILT_IN
    assert len(set(known.values())) == len(ROLES)


def test_the_ids_are_those_that_azure_publishes():
    assert {name: BUILT_IN[name] for name in PUBLISHED} == PUBLISHED


def test_every_role_that_an_identity_needs_is_known():
    needed = {role for pairs in NEEDS.values() for _, role in pairs}
    assert needed <= {*BUILT_IN, *CUSTOM_ROLES}
