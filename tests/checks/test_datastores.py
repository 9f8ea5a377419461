"""Datastores whose service is gone, and kinds that only SDK v1 had."""

import pytest


def test_l4_04_a_lake_of_the_first_generation_is_answered_with_the_second(folder):
    (found,) = folder.found("type: azure_data_lake_gen1\nname: lake\nstore_name: mylake\n", "datastores/a.yml")
    assert found.startswith("1:7: error[MK0420]: ")
    assert "use `azure_data_lake_gen2`" in found


def test_l4_04_a_lake_of_the_second_generation_passes(folder):
    text = "type: azure_data_lake_gen2\nname: lake\naccount_name: mylake\nfilesystem: raw\n"
    assert folder.found(text, "datastores/a.yml") == []


@pytest.mark.parametrize("kind", ["sql", "azure_sql_database", "AzureSqlDatabase", "azure_my_sql"])
def test_l4_05_a_database_is_answered_with_connection_and_import(folder, kind):
    (found,) = folder.found(f"type: {kind}\nname: db\nserver_name: s\n", "datastores/a.yml")
    assert found == (
        f"1:7: error[MK0106]: `{kind}` is not a value of `type`; "
        "no datastore of v2 is a database; use a workspace connection and a data import"
    )


def test_l4_06_the_file_system_of_databricks_is_answered_with_a_lake(folder):
    (found,) = folder.found("type: dbfs\nname: d\n", "any/a.yml")
    assert found.endswith("no datastore of v2 is one; use `azure_data_lake_gen2`")


def test_other_unknown_types_are_answered_with_those_there_are(folder):
    header = "$schema: https://azuremlschemas.azureedge.net/latest/azureBlob.schema.json\n"
    found = folder.found(f"{header}type: azure_blobb\nname: d\n", "any/a.yml")
    assert any(
        line.startswith("2:7: error[MK0106]: `azure_blobb` is not a value of `type`; did you mean `azure_blob`")
        for line in found
    )
