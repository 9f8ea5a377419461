"""The URL table: which handler answers which method and path. Fixed segments match in any letter case, as in ARM."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mlops_kit.local.arm.wire import ArmError, Call, Reply

if TYPE_CHECKING:
    from mlops_kit.local.plane import Plane

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
PROVIDER = f"{GROUP}/providers/Microsoft.MachineLearningServices"
WORKSPACE = f"{PROVIDER}/workspaces/{{workspace}}"

Handler = Callable[["Plane", Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of a URL table.

    ``template`` has ``{name}`` for one segment and ``{name*}`` for the rest of the path. A handler that waits for
    a file, a process or the network sets ``slow`` and runs in a thread; all others run on the event loop and must
    only touch memory and the resource store.
    """

    method: str
    template: str
    handler: Handler
    slow: bool = False
    open: bool = False  # answered without a bearer token (metadata, signed links)
    does: Literal["executed", "stored"] = "stored"


@dataclass(slots=True)
class _Branch:
    fixed: dict[str, _Branch] = field(default_factory=dict)
    free: _Branch | None = None
    name: str = ""
    rest: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)
    here: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class RouteTable:
    """All routes as a tree of path segments; a fixed segment wins over a free one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Branch()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        branch, names = self._root, list[str]()
        for segment in route.template.strip("/").split("/"):
            if segment.endswith("*}"):
                branch.rest[route.method] = (route, (*names, segment[1:-2]))
                return
            if segment.startswith("{"):
                names.append(segment[1:-1])
                branch.free = branch.free or _Branch()
                branch = branch.free
            else:
                branch = branch.fixed.setdefault(segment.lower(), _Branch())
        if route.method in branch.here:
            raise ValueError(f"two routes for {route.method} {route.template}")
        branch.here[route.method] = (route, tuple(names))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and the values of its template; 501 naming method and path where there is none."""
        segments = path.strip("/").split("/")
        found = _match(self._root, segments, 0, (), method)
        if found is None:
            raise ArmError(
                501, "NotImplemented", f"The local control plane does not implement {method} {path}. Nothing was done."
            )
        (route, names), values = found
        return route, dict(zip(names, values, strict=True))


_Found = tuple[tuple[Route, tuple[str, ...]], tuple[str, ...]]


def _match(branch: _Branch, segments: list[str], at: int, values: tuple[str, ...], method: str) -> _Found | None:
    if at == len(segments):
        row = branch.here.get(method)
        return (row, values) if row else None
    segment = segments[at]
    fixed = branch.fixed.get(segment.lower())
    if fixed is not None:
        found = _match(fixed, segments, at + 1, values, method)
        if found:
            return found
    if branch.free is not None:
        found = _match(branch.free, segments, at + 1, (*values, segment), method)
        if found:
            return found
    row = branch.rest.get(method)
    return (row, (*values, "/".join(segments[at:]))) if row else None
