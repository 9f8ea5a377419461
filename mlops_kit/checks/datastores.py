"""Datastores whose service is no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, error

if TYPE_CHECKING:
    from mlops_kit.checks.subject import Subject

GEN1 = "azure_data_lake_gen1"  # the SDK still has the class


def check(subject: Subject) -> list[Finding]:
    """Return that the storage behind a datastore was retired."""
    kind = subject.root.get("type") if subject.kind == GEN1 else None
    if kind is None:
        return []
    message = "Azure Data Lake Storage Gen1 was switched off on 29 February 2024"
    hint = "use `azure_data_lake_gen2` with its `account_name` and `filesystem`"
    return [error("MK0420", kind.place, message, hint)]
