"""The clock of the control plane: shown, and moved past everything that fires on the way. No route of Azure's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.routes import Route
from mlops_kit.local.arm.shapes import shaped
from mlops_kit.local.arm.wire import ArmError, BadRequestError, Call, Reply
from mlops_kit.local.schedules.firing import Fired

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

PATH = "/local/clock"
LINES = "application/x-ndjson"
_SHAPE = {"to": str, "wait": bool}


def _shown(plane: Plane) -> dict[str, Any]:
    clock = plane.schedules.clock
    return {"now": clock.now().isoformat(), "aheadSeconds": clock.ahead.total_seconds()}


def _get(plane: Plane, call: Call) -> Reply:
    del call
    return Reply(200, _shown(plane))


def _post(plane: Plane, call: Call) -> Reply:
    """Move the clock ``to`` a time, or back to the machine's; answer a line per fire as it has been, then the clock."""
    if call.principal:
        raise ArmError(403, "AuthorizationFailed", "Only the owner of the control plane moves its clock.")
    given = shaped(call.json(), _SHAPE)
    text, wait = given.get("to"), given.get("wait", True)
    target = _moment(text) if text else datetime.now(UTC)
    fired = plane.schedules.move(plane, target, wait=wait)
    return Reply(200, _lines(plane, fired, reset=not text), {"content-type": LINES})


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"'{text}' is no time such as 2026-01-31T08:00:00Z.", target="to") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lines(plane: Plane, fired: Iterator[Fired], *, reset: bool) -> Iterator[bytes]:
    for one in fired:
        yield _line(asdict(one))
    if reset:
        plane.schedules.clock.reset()
    yield _line(_shown(plane))


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


ROUTES = (
    Route("GET", PATH, _get, does="executed"),
    Route("POST", PATH, _post, slow=True, does="executed"),
)
