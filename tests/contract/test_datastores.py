"""Datastores through the real SDK: the built-in ones, and those that a user registers."""

from __future__ import annotations

import uuid

import pytest

from mlops_kit.local.settings import STORAGE_ACCOUNT, STORAGE_KEY


def _name(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:8]}"


def test_workspace_has_the_four_built_in_datastores(ml):
    found = {one.name: one for one in ml.datastores.list()}
    assert {"workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"} <= set(
        found
    )
    guid = ml.workspaces.get(ml.workspace_name)._workspace_id
    assert found["workspaceblobstore"].container_name == f"azureml-blobstore-{guid}"
    assert found["workspaceartifactstore"].container_name == f"azureml-{guid}"
    assert found["workspacefilestore"].file_share_name == f"azureml-filestore-{guid}"
    assert found["workspaceblobstore"].account_name == STORAGE_ACCOUNT


def test_default_datastore_is_the_blob_store_of_the_workspace(ml):
    default = ml.datastores.get_default()
    assert (default.name, default.type) == ("workspaceblobstore", "AzureBlob")


def test_account_key_is_returned_only_when_it_is_asked_for(ml):
    assert ml.datastores.get("workspaceblobstore").credentials.account_key is None
    assert ml.datastores.get("workspaceblobstore", include_secrets=True).credentials.account_key == STORAGE_KEY
    assert ml.datastores.get_default(include_secrets=True).credentials.account_key == STORAGE_KEY


def test_registered_blob_datastore_comes_back_equal_and_its_container_takes_files(ml):
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore
    from azure.storage.blob import BlobServiceClient

    name, container = _name("blobs"), f"training-{uuid.uuid4().hex[:8]}"
    wanted = AzureBlobDatastore(
        name=name,
        description="Training data",
        account_name=STORAGE_ACCOUNT,
        container_name=container,
        tags={"team": "a"},
        credentials=AccountKeyConfiguration(account_key="typed-by-hand"),
    )
    created = ml.datastores.create_or_update(wanted)
    found = ml.datastores.get(name)
    assert found == created
    assert (found.container_name, found.description, found.tags) == (container, "Training data", {"team": "a"})
    assert (found.endpoint, found.protocol) == ("core.mlops.test", "https")
    account = BlobServiceClient(f"https://{STORAGE_ACCOUNT}.blob.core.mlops.test", credential=STORAGE_KEY)
    account.get_blob_client(container, "a/b.txt").upload_blob(b"kept")
    assert account.get_blob_client(container, "a/b.txt").download_blob().readall() == b"kept"


def test_datastore_of_another_account_keeps_its_names_and_its_secret(ml):
    from azure.ai.ml.entities import AzureBlobDatastore, SasTokenConfiguration

    name = _name("foreign")
    wanted = AzureBlobDatastore(
        name=name,
        account_name="contosodata",
        container_name="sales",
        credentials=SasTokenConfiguration(sas_token="?sv=1&sig=abc"),
    )
    ml.datastores.create_or_update(wanted)
    found = ml.datastores.get(name, include_secrets=True)
    assert (found.account_name, found.container_name) == ("contosodata", "sales")
    assert found.credentials.sas_token == "?sv=1&sig=abc"


def test_update_without_a_secret_keeps_the_secret(ml):
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore

    name = _name("kept")
    key = AccountKeyConfiguration(account_key="c2VjcmV0")
    first = AzureBlobDatastore(name=name, account_name="contosodata", container_name="sales", credentials=key)
    ml.datastores.create_or_update(first)
    again = ml.datastores.get(name)
    again.description = "changed"
    ml.datastores.create_or_update(again)
    found = ml.datastores.get(name, include_secrets=True)
    assert (found.description, found.credentials.account_key) == ("changed", "c2VjcmV0")


def test_file_and_data_lake_datastores_are_registered(ml):
    from azure.ai.ml.entities import (
        AccountKeyConfiguration,
        AzureDataLakeGen2Datastore,
        AzureFileDatastore,
        ServicePrincipalConfiguration,
    )

    share, lake = _name("share"), _name("lake")
    ml.datastores.create_or_update(
        AzureFileDatastore(
            name=share,
            account_name=STORAGE_ACCOUNT,
            file_share_name="papers",
            credentials=AccountKeyConfiguration(account_key="x"),
        )
    )
    principal = ServicePrincipalConfiguration(tenant_id="t", client_id="c", client_secret="s", resource_url="r")
    ml.datastores.create_or_update(
        AzureDataLakeGen2Datastore(
            name=lake, account_name=STORAGE_ACCOUNT, filesystem="raw-events", credentials=principal
        )
    )
    assert ml.datastores.get(share).file_share_name == "papers"
    found = ml.datastores.get(lake, include_secrets=True)
    assert (found.filesystem, found.type) == ("raw-events", "AzureDataLakeGen2")
    assert (found.credentials.client_id, found.credentials.client_secret) == ("c", "s")


def test_identity_based_datastore_has_no_secrets(ml):
    from azure.ai.ml.entities import AzureBlobDatastore, NoneCredentialConfiguration

    name = _name("identity")
    ml.datastores.create_or_update(
        AzureBlobDatastore(name=name, account_name=STORAGE_ACCOUNT, container_name="plain-data")
    )
    assert isinstance(ml.datastores.get(name, include_secrets=True).credentials, NoneCredentialConfiguration)


def test_gen1_is_refused_with_a_pointer_to_gen2(ml):
    from azure.ai.ml.entities import AzureDataLakeGen1Datastore
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="Gen2") as refused:
        ml.datastores.create_or_update(AzureDataLakeGen1Datastore(name=_name("gen1"), store_name="old"))
    assert refused.value.status_code == 501


@pytest.mark.parametrize(
    ("name", "container", "told"),
    [("has-hyphen", "fine", "letters, digits and underscores"), ("fine", "Not_Fine", "containerName 'Not_Fine'")],
)
def test_bad_name_is_refused_with_the_rule(ml, name, container, told):
    from azure.ai.ml.entities import AzureBlobDatastore
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=told):
        ml.datastores.create_or_update(
            AzureBlobDatastore(name=name, account_name=STORAGE_ACCOUNT, container_name=container)
        )


def test_unknown_datastore_names_the_nearest(ml):
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="Did you mean 'workspaceblobstore'"):
        ml.datastores.get("workspaceblobstor")


def test_deleted_datastore_is_gone_and_the_default_cannot_be_deleted(ml):
    from azure.ai.ml.entities import AzureBlobDatastore
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    name = _name("gone")
    ml.datastores.create_or_update(
        AzureBlobDatastore(name=name, account_name=STORAGE_ACCOUNT, container_name="gone-data")
    )
    ml.datastores.delete(name)
    with pytest.raises(ResourceNotFoundError):
        ml.datastores.get(name)
    with pytest.raises(HttpResponseError, match="cannot be deleted"):
        ml.datastores.delete("workspaceblobstore")
    assert ml.datastores.get_default().name == "workspaceblobstore"
