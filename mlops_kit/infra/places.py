"""Where the files of an environment say something about a value, for messages."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_kit.environments import Environment
from mlops_kit.errors import Place


@dataclass(frozen=True, slots=True)
class Where:
    """Answers with the place of a value and whether any layer gives it; steps are the keys from the root."""

    environment: Environment

    def place(self, *steps: str) -> Place:
        """Return where the strongest layer gives a value, else where it says something about what it lies in."""
        for length in range(len(steps), 0, -1):
            if below := self._below(steps[:length]):
                return below
        return self.environment.root.place

    def gives(self, *steps: str) -> bool:
        """Say whether any layer gives a value."""
        return self._below(steps) is not None

    def _below(self, steps: tuple[str, ...]) -> Place | None:
        origins = self.environment.origins
        if steps in origins:
            return origins[steps][-1].place
        return next((found[-1].place for path, found in origins.items() if path[: len(steps)] == steps), None)
