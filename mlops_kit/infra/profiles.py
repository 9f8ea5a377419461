"""The values of every infrastructure key that an environment does not give: those of all profiles, and those of each.

A key that stands in neither is derived from others where it is used. ``*`` stands for any name in a map of named
things. ``None`` means what the schema says below ``x-null``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]

_ALERT = {"aggregation": "Total", "operator": "GreaterThan", "threshold": 0, "window_minutes": 15, "severity": 2}
_SCRIPT = {"arguments": None, "timeout_minutes": 15}
_POOL = {"size": "Standard_DS3_v2", "mode": "User", "min_instances": 1, "max_instances": 3}

EVERY: Values = {
    "profile": "quick",
    "allowed_locations": (),
    "allowed_sizes": (),
    "allowed_when_protected": (),
    "state": None,
    "resource_group": {},
    "storage": {
        "sku": "Standard_LRS",
        "containers": (),
        "versioning": False,
        "blob_soft_delete_days": None,
        "container_soft_delete_days": None,
        "shared_keys": True,
        "public_access": "all",
        "allowed_ips": (),
    },
    "key_vault": {
        "sku": "standard",
        "tenant_id": None,
        "rbac": True,
        "soft_delete_days": 7,
        "public_access": "all",
        "allowed_ips": (),
    },
    "observability": {
        "application_insights_id": None,
        "retention_days": 30,
        "daily_cap_gb": None,
        "diagnostic_categories": (
            "AmlOnlineEndpointConsoleLog",
            "AmlOnlineEndpointTrafficLog",
            "AmlOnlineEndpointEventLog",
        ),
        "emails": (),
        "alerts": {"*": _ALERT},
    },
    "container_registry": {},
    "identity_and_access": {
        "custom_roles": True,
        "github": None,
        "role_assignments": {"*": {"scope": "workspace", "principal_type": "Group"}},
    },
    "workspace": {
        "network": "public",
        "isolation": "allow_internet_outbound",
        "outbound_rules": {"*": {"protocol": "TCP", "ports": "443"}},
        "virtual_network": {
            "address_space": ("10.0.0.0/16",),
            "endpoints_prefix": "10.0.0.0/24",
            "compute_prefix": "10.0.1.0/24",
            "endpoints_subnet_id": None,
            "compute_subnet_id": None,
        },
        "dns_zones_in": None,
        "customer_managed_key": None,
    },
    "compute": {
        "clusters": {
            "*": {
                "size": "Standard_DS3_v2",
                "tier": "dedicated",
                "min_instances": 0,
                "max_instances": 4,
                "idle_time_before_scale_down": 120,
                "identity": "compute",
                "ssh": None,
            }
        },
        "instances": {
            "*": {
                "size": "Standard_DS11_v2",
                "idle_shutdown_minutes": 30,
                "identity": "compute",
                "ssh": None,
                "assigned_user": None,
                "setup_script": None,
                "startup_script": None,
                "start": None,
                "stop": None,
                "time_zone": "UTC",
            }
        },
        "serverless": {},
    },
    "kubernetes": None,
    "registry": None,
    "data_trigger": None,
    "budget": None,
}
"""What holds in all profiles."""

PROFILES: Mapping[str, Values] = {
    "quick": {"soft_deleted": "purge"},
    "secure": {
        "soft_deleted": "recover",
        "storage": {
            "sku": "Standard_ZRS",
            "versioning": True,
            "blob_soft_delete_days": 14,
            "container_soft_delete_days": 14,
            "shared_keys": False,
            "public_access": "selected",
        },
        "key_vault": {"soft_delete_days": 90, "public_access": "selected"},
        "observability": {
            "retention_days": 90,
            "alerts": {"failed-runs": {"metric": "Failed Runs"}, "unusable-nodes": {"metric": "Unusable Nodes"}},
        },
        "workspace": {"network": "managed"},
    },
}
"""What each profile says beside; nothing else depends on which one is chosen."""

WHEN_WANTED: Values = {
    "state": {"container": "state"},
    "identity_and_access": {"github": {"pull_requests": False}},
    "kubernetes": {
        "cluster_id": None,
        "compute_name": "kubernetes",
        "namespace": "default",
        "version": None,
        "tier": "Free",
        "node_pools": {"system": {**_POOL, "mode": "System"}, "*": _POOL},
        "extension": {"training": True, "inference": True, "load_balancer": False, "allow_insecure": False},
        "instance_types": {"small": {"cpu": "1", "memory": "2Gi"}, "*": {"gpu": 0, "node_selector": {}}},
        "default_instance_type": "small",
    },
    "registry": {"locations": (), "storage_sku": "Standard_LRS", "public_access": "all"},
    "data_trigger": {"triggers": {"*": {"prefix": "", "suffix": "", "webhook_url": None}}},
    "budget": {"thresholds": (80, 100), "emails": ()},
    "compute": {
        "instances": {
            "*": {"setup_script": _SCRIPT, "startup_script": _SCRIPT},
        }
    },
}
"""Values of what ``EVERY`` leaves out, for an environment that wants it."""
