"""Compute of a workspace: clusters that scale to zero, and instances that stop by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from mlops_kit.infra import contract
from modules.pulumi.place import Place


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The workspace that a compute belongs to, and the ids that it may refer to, by key."""

    workspace_name: pulumi.Input[str]
    identities: Mapping[str, pulumi.Output[str]]
    subnets: Mapping[str, pulumi.Output[str]]


class Compute(pulumi.ComponentResource):
    """Clusters and instances by name. Idle times are ISO 8601 durations, scripts base64, schedules cron.

    Only scale, identity, idle time and schedules can be changed later; the rest replaces the compute.
    Source: learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/computes.
    """

    def __init__(
        self,
        name: str,
        args: contract.Compute,
        place: Place,
        *,
        around: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:Compute", name, None, opts)
        wanted: dict[str, tuple[str | None, ml.AmlComputeArgs | ml.ComputeInstanceArgs]] = {
            **{key: (one.identity, _cluster(one, around)) for key, one in args.clusters.items()},
            **{key: (one.identity, _instance(one, around)) for key, one in args.instances.items()},
        }
        self.ids = {
            key: ml.Compute(
                f"{name}-{key}",
                compute_name=key,
                workspace_name=around.workspace_name,
                resource_group_name=place.resource_group_name,
                location=place.location,
                tags=dict(place.tags),
                identity=identity_of(identity, around.identities),
                properties=properties,
                opts=pulumi.ResourceOptions(parent=self),
            ).id
            for key, (identity, properties) in wanted.items()
        }
        self.register_outputs({"ids": self.ids})


def identity_of(key: str | None, identities: Mapping[str, pulumi.Output[str]]) -> ml.ManagedServiceIdentityArgs | None:
    """Return the identity of a compute: one of the environment's, its own (``system``), or none."""
    if key is None:
        return None
    if key == "system":
        return ml.ManagedServiceIdentityArgs(type=ml.ManagedServiceIdentityType.SYSTEM_ASSIGNED)
    return ml.ManagedServiceIdentityArgs(
        type=ml.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identities[key]]
    )


def _cluster(args: contract.Cluster, around: Surroundings) -> ml.AmlComputeArgs:
    ssh = args.ssh
    return ml.AmlComputeArgs(
        compute_type="AmlCompute",
        properties=ml.AmlComputePropertiesArgs(
            vm_size=args.size,
            vm_priority=args.tier,
            os_type=ml.OsType.LINUX,
            scale_settings=ml.ScaleSettingsArgs(
                min_node_count=args.min_instances,
                max_node_count=args.max_instances,
                node_idle_time_before_scale_down=args.idle_time_before_scale_down,
            ),
            enable_node_public_ip=args.public_ip,
            subnet=_subnet(args.subnet, args.subnet_id, around),
            remote_login_port_public_access=(
                ml.RemoteLoginPortPublicAccess.DISABLED if ssh is None else ml.RemoteLoginPortPublicAccess.ENABLED
            ),
            user_account_credentials=None
            if ssh is None
            else ml.UserAccountCredentialsArgs(admin_user_name=ssh.user, admin_user_ssh_public_key=ssh.public_key),
        ),
    )


def _instance(args: contract.Instance, around: Surroundings) -> ml.ComputeInstanceArgs:
    user, key = args.assigned_user, args.ssh_public_key
    return ml.ComputeInstanceArgs(
        compute_type="ComputeInstance",
        properties=ml.ComputeInstancePropertiesArgs(
            vm_size=args.size,
            enable_node_public_ip=args.public_ip,
            subnet=_subnet(args.subnet, args.subnet_id, around),
            idle_time_before_shutdown=args.idle_time_before_shutdown,
            ssh_settings=ml.ComputeInstanceSshSettingsArgs(
                ssh_public_access=ml.SshPublicAccess.DISABLED if key is None else ml.SshPublicAccess.ENABLED,
                admin_public_key=key,
            ),
            compute_instance_authorization_type=None if user is None else "personal",
            personal_compute_instance_settings=None
            if user is None
            else ml.PersonalComputeInstanceSettingsArgs(
                assigned_user=ml.AssignedUserArgs(tenant_id=user.tenant_id, object_id=user.object_id)
            ),
            setup_scripts=_scripts(args),
            schedules=_schedules(args),
        ),
    )


def _subnet(key: str | None, subnet_id: str | None, around: Surroundings) -> ml.ResourceIdArgs | None:
    if key is not None:
        return ml.ResourceIdArgs(id=around.subnets[key])
    return ml.ResourceIdArgs(id=subnet_id) if subnet_id is not None else None


def _scripts(args: contract.Instance) -> ml.SetupScriptsArgs | None:
    if args.creation_script is None and args.startup_script is None:
        return None
    return ml.SetupScriptsArgs(
        scripts=ml.ScriptsToExecuteArgs(
            creation_script=_script(args.creation_script), startup_script=_script(args.startup_script)
        )
    )


def _script(args: contract.Script | None) -> ml.ScriptReferenceArgs | None:
    if args is None:
        return None
    return ml.ScriptReferenceArgs(
        script_source="inline", script_data=args.data, script_arguments=args.arguments, timeout=args.timeout
    )


def _schedules(args: contract.Instance) -> ml.ComputeSchedulesArgs | None:
    if not args.schedules:
        return None
    return ml.ComputeSchedulesArgs(
        compute_start_stop=[
            ml.ComputeStartStopScheduleArgs(
                action=one.action,
                trigger_type=ml.ComputeTriggerType.CRON,
                cron=ml.CronArgs(expression=one.cron, time_zone=one.time_zone),
                status=ml.ScheduleStatus.ENABLED,
            )
            for one in args.schedules
        ]
    )
