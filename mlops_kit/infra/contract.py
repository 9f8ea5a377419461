"""What infrastructure is, as the engines get it: one field of ``Infrastructure`` per module, None where not wanted.

Everything is decided here: names, ids that can be known before anything exists, ARM's own words for values. An engine
adds what only exists afterwards (ids of what it created, ids of principals) and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """The group, and what everything in it shares. ``delete_lock`` is the name of the lock, or None."""

    subscription_id: str
    name: str
    location: str
    tags: Mapping[str, str]
    delete_lock: str | None


@dataclass(frozen=True, slots=True)
class Firewall:
    """Who reaches a service, in ARM's words; the subnets are keys of ``workspace.network.subnets``."""

    public_network_access: str
    default_action: str
    ip_rules: tuple[str, ...]
    subnets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Storage:
    """The storage account of the workspace; days are None where deletion is at once."""

    name: str
    sku: str
    containers: tuple[str, ...]
    versioning: bool
    blob_soft_delete_days: int | None
    container_soft_delete_days: int | None
    shared_keys: bool
    firewall: Firewall


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What a principal may do with what is in a vault without roles: it is ``identity``, a key, or ``principal_id``."""

    identity: str | None
    principal_id: str | None
    keys: tuple[str, ...]
    secrets: tuple[str, ...]
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyVault:
    """The vault; ``tenant_id`` None means the tenant of whoever runs the engine. With ``rbac`` it has no policies."""

    name: str
    sku: str
    tenant_id: str | None
    rbac: bool
    access_policies: Mapping[str, AccessPolicy]
    soft_delete_days: int
    purge_protection: bool
    when_soft_deleted: str
    firewall: Firewall


@dataclass(frozen=True, slots=True)
class LogAnalytics:
    """The log store; ``daily_cap_gb`` -1 is no limit, as ARM has it."""

    name: str
    retention_days: int
    daily_cap_gb: int


@dataclass(frozen=True, slots=True)
class ApplicationInsights:
    """Traces: created under ``name``, or the existing one of ``id``; exactly one of them is set."""

    name: str | None
    id: str | None


@dataclass(frozen=True, slots=True)
class ActionGroup:
    """Who is told: addresses by the name that the action group gives them."""

    name: str
    short_name: str
    emails: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alert:
    """A metric alert on the workspace; window and frequency are ISO 8601 durations."""

    name: str
    metric: str
    aggregation: str
    operator: str
    threshold: float
    window: str
    frequency: str
    severity: int


@dataclass(frozen=True, slots=True)
class Observability:
    """Logs, traces, alerts; the diagnostic setting is one of the workspace."""

    log_analytics: LogAnalytics
    application_insights: ApplicationInsights
    diagnostic_setting: str
    diagnostic_categories: tuple[str, ...]
    action_group: ActionGroup | None
    alerts: Mapping[str, Alert]


@dataclass(frozen=True, slots=True)
class ContainerRegistry:
    """The registry of images; the admin user is always off."""

    name: str
    sku: str
    public_network_access: str


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """A token of GitHub that ``identity`` is given for; the subject must fit in every character and its case."""

    name: str
    identity: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role definition at the resource group; ``guid`` is its name in ARM."""

    guid: str
    id: str
    role_name: str
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    assignable_scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """Who may do what on what; ``name`` is the uuid5 of (scope id, principal, role).

    The principal is either ``identity``, a key of ``identities``, or ``principal_id``. ``scope`` names the module whose
    resource it is about, or is ``id``; ``custom_role`` names the custom role that must exist before.
    """

    name: str
    scope: str
    scope_id: str
    identity: str | None
    principal_id: str | None
    principal_type: str
    role: str
    role_definition_id: str
    custom_role: str | None


@dataclass(frozen=True, slots=True)
class IdentityAndAccess:
    """Identities by key (workspace, compute, deployment, trigger) and their names; what they and others may do."""

    identities: Mapping[str, str]
    federated_credentials: Mapping[str, FederatedCredential]
    custom_roles: Mapping[str, CustomRole]
    role_assignments: Mapping[str, RoleAssignment]


@dataclass(frozen=True, slots=True)
class OutboundRule:
    """A destination that jobs may reach; ``type`` FQDN has ``fqdn``, ServiceTag has the other three."""

    type: str
    fqdn: str | None
    service_tag: str | None
    protocol: str | None
    port_ranges: str | None


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A virtual network to create; its subnets are those of the network that have a prefix."""

    name: str
    address_space: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet: created with ``prefix``, or the existing one of ``id``; exactly one of them is set."""

    name: str
    prefix: str | None
    id: str | None
    service_endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrivateEndpoint:
    """A private address in the subnet ``endpoints`` of one module's resource, and the DNS zones that lead to it."""

    name: str
    target: str
    group_id: str
    dns_zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DnsZone:
    """A private DNS zone: created and linked to the network, or the existing one of ``id``."""

    id: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class Network:
    """The network of the workspace; ``isolation_mode`` is ARM's, ``subnets`` are by use: endpoints, compute.

    ``virtual_network`` is created, or ``virtual_network_id`` exists; both are None where there is none.
    """

    mode: str
    public_network_access: str
    isolation_mode: str
    outbound_rules: Mapping[str, OutboundRule]
    virtual_network: VirtualNetwork | None
    virtual_network_id: str | None
    subnets: Mapping[str, Subnet]
    private_endpoints: Mapping[str, PrivateEndpoint]
    dns_zones: Mapping[str, DnsZone]


@dataclass(frozen=True, slots=True)
class Serverless:
    """Compute of jobs that name none; ``subnet`` is a key of the network's subnets."""

    subnet: str | None
    no_public_ip: bool


@dataclass(frozen=True, slots=True)
class CustomerManagedKey:
    """The key that encrypts what the workspace stores."""

    vault_id: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace; ``identity`` is a key of ``identity_and_access.identities``."""

    name: str
    friendly_name: str
    description: str
    identity: str
    datastore_auth: str
    image_build_compute: str | None
    when_soft_deleted: str
    network: Network
    serverless: Serverless
    customer_managed_key: CustomerManagedKey | None


@dataclass(frozen=True, slots=True)
class ClusterSsh:
    """Access to the nodes of a cluster."""

    user: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A compute cluster; ``identity`` is a key of the identities, ``system`` or None; ``subnet`` is of the network."""

    size: str
    tier: str
    min_instances: int
    max_instances: int
    idle_time_before_scale_down: str
    identity: str | None
    subnet: str | None
    subnet_id: str | None
    public_ip: bool
    ssh: ClusterSsh | None


@dataclass(frozen=True, slots=True)
class User:
    """A person, by the object id in a tenant."""

    tenant_id: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Script:
    """A shell script of an instance: its text in base64, as ARM takes it; the timeout as ARM writes it, ``15m``."""

    data: str
    arguments: str | None
    timeout: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Start or Stop of an instance at the times of a cron expression."""

    action: str
    cron: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Instance:
    """A compute instance; ``idle_time_before_shutdown`` is an ISO 8601 duration."""

    size: str
    idle_time_before_shutdown: str | None
    identity: str | None
    subnet: str | None
    subnet_id: str | None
    public_ip: bool
    ssh_public_key: str | None
    assigned_user: User | None
    creation_script: Script | None
    startup_script: Script | None
    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True)
class Compute:
    """Clusters and instances by name."""

    clusters: Mapping[str, Cluster]
    instances: Mapping[str, Instance]


@dataclass(frozen=True, slots=True)
class NodePool:
    """Nodes of one size."""

    size: str
    mode: str
    min_instances: int
    max_instances: int


@dataclass(frozen=True, slots=True)
class ManagedCluster:
    """An AKS cluster to create; ``version`` None is the one that Azure chooses."""

    name: str
    dns_prefix: str
    version: str | None
    tier: str
    private_cluster: bool
    node_pools: Mapping[str, NodePool]


@dataclass(frozen=True, slots=True)
class Extension:
    """The Azure ML extension of a Kubernetes cluster, with its own configuration settings as text."""

    name: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What a job on Kubernetes can ask for; ``gpu`` is text, as Kubernetes has quantities."""

    cpu: str
    memory: str
    gpu: str
    node_selector: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """A Kubernetes cluster as compute: ``cluster`` is created, or ``cluster_id`` exists; exactly one is set."""

    cluster: ManagedCluster | None
    cluster_id: str | None
    extension: Extension
    compute_name: str
    namespace: str
    identity: str
    instance_types: Mapping[str, InstanceType]
    default_instance_type: str


@dataclass(frozen=True, slots=True)
class Registry:
    """An Azure ML registry; the first location is its own."""

    name: str
    locations: tuple[str, ...]
    storage_sku: str
    container_registry_sku: str
    public_network_access: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """Blobs that start a pipeline: told to ``queue`` of the storage account, or to ``webhook_url``."""

    subject_begins_with: str
    subject_ends_with: str
    event_types: tuple[str, ...]
    labels: tuple[str, ...]
    queue: str | None
    webhook_url: str | None


@dataclass(frozen=True, slots=True)
class DataTrigger:
    """An Event Grid topic of the storage account and its subscriptions by name; ``identity`` writes to the queues."""

    topic: str
    identity: str
    triggers: Mapping[str, Trigger]


@dataclass(frozen=True, slots=True)
class Budget:
    """A monthly budget of the resource group; thresholds are percentages."""

    name: str
    amount: float
    start: str
    thresholds: tuple[int, ...]
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """The infrastructure of one environment, decided."""

    resource_group: ResourceGroup
    storage: Storage
    key_vault: KeyVault
    observability: Observability
    container_registry: ContainerRegistry | None
    identity_and_access: IdentityAndAccess
    workspace: Workspace
    compute: Compute
    kubernetes: Kubernetes | None
    registry: Registry | None
    data_trigger: DataTrigger | None
    budget: Budget | None
