"""Who there is and what they may do: identities, GitHub's tokens for them, custom roles, role assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import authorization, managedidentity

from mlops_kit.infra import contract
from modules.pulumi.place import Place


class IdentityAndAccess(pulumi.ComponentResource):
    """User-assigned identities by key, the federated credentials of some of them, and the custom roles of the group.

    Source: learn.microsoft.com/entra/workload-id/workload-identity-federation.
    """

    def __init__(
        self,
        name: str,
        args: contract.IdentityAndAccess,
        place: Place,
        *,
        group_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:IdentityAndAccess", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        self.identities = {
            key: managedidentity.UserAssignedIdentity(
                f"{name}-{key}",
                resource_name_=own_name,
                resource_group_name=place.resource_group_name,
                location=place.location,
                tags=dict(place.tags),
                opts=inside,
            )
            for key, own_name in args.identities.items()
        }
        self._federated_credentials(name, args.federated_credentials, place)
        self.custom_roles = {
            key: authorization.RoleDefinition(
                f"{name}-{key}",
                # The group itself: an output, so that the role waits for it.
                scope=group_id,
                role_definition_id=role.guid,
                role_name=role.role_name,
                role_type="CustomRole",
                description=role.description,
                permissions=[
                    authorization.PermissionArgs(actions=list(role.actions), not_actions=list(role.not_actions))
                ],
                assignable_scopes=list(role.assignable_scopes),
                opts=inside,
            )
            for key, role in args.custom_roles.items()
        }
        self.ids = {key: one.id for key, one in self.identities.items()}
        self.principal_ids = {key: one.principal_id for key, one in self.identities.items()}
        self.client_ids = {key: one.client_id for key, one in self.identities.items()}
        self.register_outputs({"ids": self.ids})

    def _federated_credentials(
        self, name: str, credentials: Mapping[str, contract.FederatedCredential], place: Place
    ) -> None:
        """Create the credentials one after the other: Azure refuses two at a time for one identity."""
        previous: list[pulumi.Resource] = []
        for key, credential in credentials.items():
            previous = [
                managedidentity.FederatedIdentityCredential(
                    f"{name}-{key}",
                    federated_identity_credential_resource_name=credential.name,
                    resource_name_=self.identities[credential.identity].name,
                    resource_group_name=place.resource_group_name,
                    issuer=credential.issuer,
                    subject=credential.subject,
                    audiences=list(credential.audiences),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=previous),
                )
            ]


class RoleAssignments(pulumi.ComponentResource):
    """Role assignments whose names are given, so that a second run makes no second ones; the principal type is set.

    ``guarded`` are the resources at whose scopes they are, which must exist before.
    """

    def __init__(
        self,
        name: str,
        assignments: Mapping[str, contract.RoleAssignment],
        access: IdentityAndAccess,
        *,
        guarded: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:RoleAssignments", name, None, opts)
        for key, one in assignments.items():
            principal = access.principal_ids[one.identity] if one.identity is not None else one.principal_id
            roles = [access.custom_roles[one.custom_role]] if one.custom_role is not None else []
            authorization.RoleAssignment(
                f"{name}-{key}",
                scope=one.scope_id,
                role_assignment_name=one.name,
                role_definition_id=one.role_definition_id,
                principal_id=principal or "",
                principal_type=one.principal_type,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*guarded, *roles]),
            )
        self.register_outputs({})
