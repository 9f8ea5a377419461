"""Where the resources of a group are, and what they all carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, slots=True)
class Place:
    """The group that a resource lies in, as an output so that it waits for the group; the region and the tags."""

    resource_group_name: pulumi.Input[str]
    location: str
    tags: Mapping[str, str]
