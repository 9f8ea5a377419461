"""A Kubernetes cluster as compute: AKS or an existing one, the Azure ML extension, and the attached compute."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice, kubernetesconfiguration
from pulumi_azure_native import machinelearningservices as ml

from mlops_kit.infra import contract
from modules.pulumi.compute import Surroundings, identity_of
from modules.pulumi.place import Place


class Kubernetes(pulumi.ComponentResource):
    """The cluster, its extension and the compute; quantities are those of Kubernetes, as text.

    Source: learn.microsoft.com/azure/machine-learning: how-to-deploy-kubernetes-extension,
    how-to-attach-kubernetes-anywhere.
    """

    def __init__(
        self,
        name: str,
        args: contract.Kubernetes,
        place: Place,
        *,
        around: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-kit:modules:Kubernetes", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        self.cluster_id = self._cluster(name, args, place)
        extension = kubernetesconfiguration.Extension(
            f"{name}-extension",
            resource_group_name=self.cluster_id.apply(lambda one: one.split("/")[4]),
            cluster_rp="Microsoft.ContainerService",
            cluster_resource_name="managedClusters",
            cluster_name=self.cluster_id.apply(lambda one: one.split("/")[8]),
            extension_name=args.extension.name,
            extension_type="microsoft.azureml.kubernetes",
            identity=kubernetesconfiguration.IdentityArgs(
                type=kubernetesconfiguration.ResourceIdentityType.SYSTEM_ASSIGNED
            ),
            auto_upgrade_minor_version=True,
            release_train="Stable",
            scope=kubernetesconfiguration.ScopeArgs(
                cluster=kubernetesconfiguration.ScopeClusterArgs(release_namespace="azureml")
            ),
            configuration_settings=dict(args.extension.settings),
            opts=inside,
        )
        self.compute_id = ml.Compute(
            f"{name}-compute",
            compute_name=args.compute_name,
            workspace_name=around.workspace_name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            identity=identity_of(args.identity, around.identities),
            properties=ml.KubernetesArgs(
                compute_type="Kubernetes",
                resource_id=self.cluster_id,
                properties=ml.KubernetesPropertiesArgs(
                    namespace=args.namespace,
                    default_instance_type=args.default_instance_type,
                    instance_types={key: _instance_type(one) for key, one in args.instance_types.items()},
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[extension]),
        ).id
        self.register_outputs({"cluster_id": self.cluster_id, "compute_id": self.compute_id})

    def _cluster(self, name: str, args: contract.Kubernetes, place: Place) -> pulumi.Output[str]:
        cluster = args.cluster
        if cluster is None:
            return pulumi.Output.from_input(args.cluster_id or "")
        made = containerservice.ManagedCluster(
            name,
            resource_name_=cluster.name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=dict(place.tags),
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.SYSTEM_ASSIGNED
            ),
            sku=containerservice.ManagedClusterSKUArgs(
                name=containerservice.ManagedClusterSKUName.BASE, tier=cluster.tier
            ),
            dns_prefix=cluster.dns_prefix,
            kubernetes_version=cluster.version,
            enable_rbac=True,
            agent_pool_profiles=[_node_pool(key, one) for key, one in cluster.node_pools.items()],
            api_server_access_profile=containerservice.ManagedClusterAPIServerAccessProfileArgs(
                enable_private_cluster=cluster.private_cluster
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return made.id


def _node_pool(name: str, args: contract.NodePool) -> containerservice.ManagedClusterAgentPoolProfileArgs:
    """Return a pool without a count of nodes: that is the autoscaler's, and a number here would undo what it did."""
    return containerservice.ManagedClusterAgentPoolProfileArgs(
        name=name,
        vm_size=args.size,
        mode=args.mode,
        min_count=args.min_instances,
        max_count=args.max_instances,
        enable_auto_scaling=True,
        os_type=containerservice.OSType.LINUX,
        type=containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
    )


def _instance_type(args: contract.InstanceType) -> ml.InstanceTypeSchemaArgs:
    asked = {"cpu": args.cpu, "memory": args.memory}
    limits = asked if args.gpu == "0" else {**asked, "nvidia.com/gpu": args.gpu}
    return ml.InstanceTypeSchemaArgs(
        node_selector=dict(args.node_selector),
        resources=ml.InstanceTypeSchemaResourcesArgs(requests=asked, limits=limits),
    )
