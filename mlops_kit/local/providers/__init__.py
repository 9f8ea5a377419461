"""One module per resource type. Each holds a URL table ``ROUTES``, its handlers and its rules; this module lists them all."""

from __future__ import annotations

from mlops_kit.local.arm import operations
from mlops_kit.local.plane import Plane

ROUTES = (*operations.ROUTES,)


def prepare(plane: Plane) -> None:
    """Create what every instance has: the default resource group, workspace, datastores and computes."""
