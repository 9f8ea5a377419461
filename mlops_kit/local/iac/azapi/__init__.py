"""A stand-in for Terraform's provider ``Azure/azapi`` that speaks with the local control plane.

The real ``terraform`` binary uses it without knowing; modules need no change. What differs from the real provider is
refused with a reason: no data plane, no embedded schemas (``output`` holds what ``response_export_values`` names and
nothing else), no index of API versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def attach(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Serve the provider; yield ``environ`` for the Terraform commands that are to use it (see ``serving.attach``)."""
    from mlops_kit.local.iac.azapi import serving

    with serving.attach(environ) as attached:
        yield attached
