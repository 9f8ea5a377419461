"""What a person should know before the infrastructure is made: no fault, and in no plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def notes(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each thing that later surprises; ``values`` are those that the engines get."""
    if not values["storage"]["shared_keys"]:
        # Azure/azure-sdk-for-python#36603 and Azure/azure-cli#25846
        yield (
            "storage keys are off: the identities reach all data, and two operations still ask Azure for a SAS and are"
            " refused: registering an environment with a local build context (give it an image instead), and invoking"
            " a batch endpoint with an output on a datastore that keeps a key (let it use identity instead)"
        )
    if values["container_registry"] is None:
        yield (
            "no container registry is planned: Azure makes one with the first image it builds, no engine knows of it,"
            " and 'destroy' goes on only where its id is named with --delete"
        )
