"""The resource group of an environment, and the lock that keeps it from being deleted."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import authorization, resources

from mlops_kit.infra import contract
from mlops_kit.infra.ownership import TAG
from modules.pulumi.place import Place


class ResourceGroup(pulumi.ComponentResource):
    """The group with its tags. ``place`` is where everything else goes."""

    def __init__(self, name: str, args: contract.ResourceGroup, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops-kit:modules:ResourceGroup", name, None, opts)
        self.group = resources.ResourceGroup(
            name,
            resource_group_name=args.name,
            location=args.location,
            tags={**args.tags, TAG: "pulumi"},  # by which the other engine keeps off
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.group.id
        self.name = self.group.name
        self.place = Place(self.group.name, args.location, args.tags)
        self.register_outputs({"id": self.id, "name": self.name})


class DeleteLock(pulumi.ComponentResource):
    """A lock of level CanNotDelete on the group.

    It waits for everything in the group and is therefore the first to go: Azure deletes nothing that is locked.
    """

    def __init__(
        self,
        name: str,
        lock_name: str,
        *,
        group_id: pulumi.Input[str],
        guarded: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:DeleteLock", name, None, opts)
        self.lock = authorization.ManagementLockByScope(
            name,
            scope=group_id,
            lock_name=lock_name,
            level=authorization.LockLevel.CAN_NOT_DELETE,
            notes="Take the lock away before anything here is deleted.",
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(guarded)),
        )
        self.id = self.lock.id
        self.register_outputs({"id": self.id})
