"""What every engine can do for one environment; the commands know nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_kit.errors import OperationFailed
from mlops_kit.infra.changes import MASK, Changes
from mlops_kit.infra.saved_plan import Planned

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Output:
    """A named output; ``value`` is JSON data, in clear even where it is ``secret``."""

    value: Any
    secret: bool = False

    def __repr__(self) -> str:
        """Return the value, or the mask in its place."""
        return f"Output({MASK if self.secret else self.value!r})"

    @property
    def shown(self) -> Any:
        """Return what may be seen of it."""
        return MASK if self.secret else self.value


class EndedEarly(OperationFailed):
    """An engine ended early; what it did until then is in its state, and the next run goes on from there."""

    def __init__(self, planned: Planned, faults: tuple[str, ...], done: int) -> None:
        verb, engine = "destroy" if planned.destroys else "up", planned.changes.engine
        again = f"mlops-kit infra {verb} -e {planned.changes.environment}"
        if engine != "terraform":  # which a command takes unless it is told
            again += f" --engine {engine}"
        made = f"{done} change{'s were' if done != 1 else ' was'} made; '{again}' goes on"
        super().__init__("\n".join([*faults, made]))
        self.faults = faults
        self.done = done


class Engine(Protocol):
    """An engine for one environment: its program, its values and its state are its own business."""

    @property
    def name(self) -> str:
        """Return ``terraform`` or ``pulumi``."""

    def plan(self, *, destroys: bool = False) -> Planned:
        """Return what would be done; nothing is changed."""

    def require_fresh(self, planned: Planned) -> None:
        """Refuse a plan that ``apply`` would refuse; nothing is changed.

        Raises:
            StalePlanError: The state is not the one that was planned from.
        """

    def apply(self, planned: Planned, tell: Tell) -> Changes:
        """Do exactly what was planned; ``tell`` hears of each resource as it ends.

        Raises:
            StalePlanError: The state is not the one that was planned from.
            EndedEarly: Something failed midway.
        """

    def refresh(self) -> Changes:
        """Look at what is there, record it, and return what was changed outside as ``drift``."""

    def owned(self) -> tuple[str, ...]:
        """Return the ids of everything that the engine has made or taken over."""

    def outputs(self) -> Mapping[str, Output]:
        """Return the named outputs of the last run; none where nothing was applied yet."""
