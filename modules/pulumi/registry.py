"""An Azure Machine Learning registry, through which assets are promoted from one environment to the next."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from mlops_kit.infra import contract
from modules.pulumi.place import Place


class Registry(pulumi.ComponentResource):
    """The registry; in each of its locations the service makes a storage account and a container registry.

    Source: learn.microsoft.com/azure/machine-learning/how-to-manage-registries.
    """

    def __init__(
        self, name: str, args: contract.Registry, place: Place, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-kit:modules:Registry", name, None, opts)
        self.registry = ml.Registry(
            name,
            registry_name=args.name,
            resource_group_name=place.resource_group_name,
            location=args.locations[0],
            tags=dict(place.tags),
            identity=ml.ManagedServiceIdentityArgs(type=ml.ManagedServiceIdentityType.SYSTEM_ASSIGNED),
            public_network_access=args.public_network_access,
            region_details=[_region(args, location) for location in args.locations],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.registry.id
        self.name = self.registry.name
        self.register_outputs({"id": self.id, "name": self.name})


def _region(args: contract.Registry, location: str) -> ml.RegistryRegionArmDetailsArgs:
    return ml.RegistryRegionArmDetailsArgs(
        location=location,
        acr_details=[
            ml.AcrDetailsArgs(
                system_created_acr_account=ml.SystemCreatedAcrAccountArgs(acr_account_sku=args.container_registry_sku)
            )
        ],
        storage_account_details=[
            ml.StorageAccountDetailsArgs(
                system_created_storage_account=ml.SystemCreatedStorageAccountArgs(
                    storage_account_type=args.storage_sku,
                    storage_account_hns_enabled=False,
                    allow_blob_public_access=False,
                )
            )
        ],
    )
