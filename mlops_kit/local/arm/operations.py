"""Long-running operations: a 202 whose status document ends as Succeeded, Failed or Canceled."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from mlops_kit.local.arm.routes import SUBSCRIPTION, Route
from mlops_kit.local.arm.wire import ArmError, Call, NotFoundError, Reply
from mlops_kit.local.plane import Plane
from mlops_kit.local.settings import MANAGEMENT_URL

_PATH = "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/local/operations/{name}"


class Operations:
    """The status documents of this instance; they need not survive it, since a client asks again."""

    def __init__(self) -> None:
        self._documents: dict[str, dict[str, Any]] = {}
        self._results: dict[str, dict[str, Any]] = {}

    def begin(
        self, subscription: str, *, status: str = "Succeeded", result: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, str]]:
        """Start an operation; return its name and the headers of the 202 that announces it.

        ``result`` is what a client is answered in the end, where that is not the resource itself.
        """
        name = uuid.uuid4().hex
        if result is not None:
            self._results[name] = result
        self._documents[name] = {"name": name, "status": status}
        url = MANAGEMENT_URL + _PATH.format(subscription=subscription, name=name)
        return name, {"Azure-AsyncOperation": url, "Location": url + "/result", "Retry-After": "0"}

    def finish(self, name: str, status: str = "Succeeded", error: dict[str, Any] | None = None) -> None:
        """Set the final status of an operation."""
        self._documents[name] = {"name": name, "status": status, **({"error": error} if error else {})}

    def finish_after(self, name: str, seconds: float, end: Callable[[], None]) -> None:
        """Call ``end`` after some seconds, whoever still waits for it; the operation fails with what it refuses."""

        def work() -> None:
            try:
                end()
            except ArmError as error:
                self.finish(name, "Failed", {"code": error.code, "message": error.message})
            else:
                self.finish(name)

        timer = threading.Timer(seconds, work)
        timer.daemon = True
        timer.start()

    def result(self, name: str) -> dict[str, Any] | None:
        """Return what the operation has led to, if that is more than a change of its resource."""
        return self._results.get(name)

    def document(self, name: str) -> dict[str, Any]:
        """Return the status document; 404 where there is none."""
        if name not in self._documents:
            raise NotFoundError(f"The operation '{name}'")
        return self._documents[name]


def accepted(plane: Plane, call: Call, result: dict[str, Any] | None = None) -> Reply:
    """Return the 202 of work that is already done, with the headers that the SDK's poller needs."""
    _, headers = plane.operations.begin(call.params["subscription"], result=result)
    return Reply(202, None, headers)


def _status(plane: Plane, call: Call) -> Reply:
    document = plane.operations.document(call.params["name"])
    return Reply(200, document, {"Retry-After": "1" if document["status"] == "InProgress" else "0"})


def _result(plane: Plane, call: Call) -> Reply:
    document = plane.operations.document(call.params["name"])
    running = document["status"] not in {"Succeeded", "Failed", "Canceled"}
    if running:
        return Reply(202, None, {"Retry-After": "0"})
    result = plane.operations.result(call.params["name"])
    return Reply(204 if result is None else 200, result)


_TEMPLATE = f"{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{{location}}/operations/{{name}}"
ROUTES = (
    Route("GET", _TEMPLATE, _status),
    Route("GET", f"{_TEMPLATE}/result", _result),
)
