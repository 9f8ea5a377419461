"""How long the computes of an environment on this machine have run, and what that would have cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.cli import plane
from mlops_kit.errors import LocalError

if TYPE_CHECKING:
    from mlops_kit.environments import Environment
    from mlops_kit.local.ledger import Ran
    from mlops_kit.project import Project


def ledger(state: Path) -> tuple[Ran, ...]:
    """Return what the ledger of a state folder says now."""
    from mlops_kit.local import ledger, supervisor
    from mlops_kit.local.clock import Clock
    from mlops_kit.local.settings import LocalSettings

    settings = LocalSettings(state)
    try:
        return ledger.read(settings.database, Clock(settings.clock).now())
    except sqlite3.DatabaseError as error:
        raise LocalError(supervisor.unreadable(settings.database, error)) from None


def of(project: Project, environment: Environment, workspace: str) -> dict[str, dict[str, Any]]:
    """Return minutes and cost of each compute by its name in lower case; nothing for an environment in Azure."""
    if not environment.is_local:
        return {}
    prices = environment.get("local.hourly_prices", {})
    every = ledger(plane.state_folder(project, environment.name))
    found = (one for one in every if one.workspace.lower() == workspace.lower())
    return {one.name.lower(): figures(one, prices) for one in found}


def figures(ran: Ran, hourly_prices: Mapping[str, float]) -> dict[str, Any]:
    """Return the minutes of a compute and, where its size has a price, what they cost."""
    price = {size.lower(): each for size, each in hourly_prices.items()}.get(ran.size.lower())
    return {"minutes": ran.minutes, **({} if price is None else {"cost": round(price * ran.minutes / 60, 2)})}
