"""The container registry of a workspace, without its admin user."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerregistry

from mlops_kit.infra import contract
from modules.pulumi.place import Place


class ContainerRegistry(pulumi.ComponentResource):
    """The registry; only the sku Premium has a private network.

    Source: learn.microsoft.com/azure/templates/microsoft.containerregistry/registries.
    """

    def __init__(
        self, name: str, args: contract.ContainerRegistry, place: Place, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-kit:modules:ContainerRegistry", name, None, opts)
        self.registry = containerregistry.Registry(
            name,
            registry_name=args.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            sku=containerregistry.SkuArgs(name=args.sku),
            admin_user_enabled=False,
            public_network_access=args.public_network_access,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.registry.id
        self.login_server = self.registry.login_server
        self.register_outputs({"id": self.id, "login_server": self.login_server})
