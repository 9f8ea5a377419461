"""The Pulumi engine of an environment on this machine, as the commands want an engine: the unmodified program on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mlops_kit.errors import OperationFailed
from mlops_kit.infra.changes import Action, Change, Changes, Difference
from mlops_kit.infra.engine import EndedEarly, Output, Tell
from mlops_kit.infra.pulumi import ACTIONS
from mlops_kit.infra.redaction import redactor
from mlops_kit.infra.saved_plan import Planned, StalePlanError
from mlops_kit.local.iac import pulumi_engine
from mlops_kit.local.iac.pulumi_engine import DeploymentError, DeviationError, Report, Stack, Step, report_from_json

# The engine has words of its own beside those of the CLI.
_ACTIONS: Mapping[str, Action] = {**ACTIONS, "forget": "forget", "refresh": "update"}


@dataclass(frozen=True, slots=True)
class LocalPulumi:
    """The engine of ``mlops_kit.local.iac`` over one stack."""

    stack: Stack
    name: str = "pulumi"

    def plan(self, *, destroys: bool = False) -> Planned:
        """Return what the engine would do."""
        if destroys:
            owned = pulumi_engine.owned(self.stack)
            return Planned(self._changes(owned), _digest(owned).encode(), destroys=True)
        try:
            report = pulumi_engine.preview(self.stack)
        except DeploymentError as error:
            raise self._failed(error) from None
        names = tuple(sorted(_changed_outputs(report, pulumi_engine.outputs(self.stack))))
        # The steps are what the plan is recognised by; outputs may be secret, and are not needed for that.
        content = json.dumps(replace(report, outputs={}).as_json())
        return Planned(replace(self._changes(report.steps), outputs=names), content.encode())

    def require_fresh(self, planned: Planned) -> None:
        """Refuse a plan that is not what would be done now."""
        if planned.destroys:
            if _digest(pulumi_engine.owned(self.stack)).encode() != planned.content:
                raise StalePlanError("the state of the infrastructure has changed")
            return
        try:
            present = pulumi_engine.preview(self.stack)
        except DeploymentError as error:
            raise self._failed(error) from None
        if present.fingerprint() != report_from_json(json.loads(planned.content)).fingerprint():
            raise StalePlanError("what would be done has changed")

    def apply(self, planned: Planned, tell: Tell) -> Changes:
        """Do exactly what was planned."""
        clear = redactor(self.stack.environ)

        def hear(event: Step | str) -> None:
            if isinstance(event, str):
                tell(clear.text(event))
            elif event.action not in {"same", "read"}:
                tell(clear.text(f"{_ACTIONS.get(event.action, event.action)} {event.name}"))

        stack = replace(self.stack, on_event=hear)
        try:
            report = self._destroy(stack, planned) if planned.destroys else self._up(stack, planned)
        except DeploymentError as error:
            raise EndedEarly(planned, self._faults(error), len(error.report.changes)) from None
        return self._changes(report.steps)

    def _faults(self, error: DeploymentError) -> tuple[str, ...]:
        return tuple(map(redactor(self.stack.environ).text, error.faults))

    def _failed(self, error: DeploymentError) -> OperationFailed:
        """Return what ended a run that changes nothing in Azure."""
        return OperationFailed("\n".join(self._faults(error)))

    def _up(self, stack: Stack, planned: Planned) -> Report:
        try:
            return pulumi_engine.up(stack, plan=report_from_json(json.loads(planned.content)))
        except DeviationError as error:
            raise StalePlanError(f"what would be done has changed ({', '.join(error.moved)})") from None

    def _destroy(self, stack: Stack, planned: Planned) -> Report:
        self.require_fresh(planned)
        return pulumi_engine.destroy(stack)

    def refresh(self) -> Changes:
        """Record what is there now; return what was changed outside."""
        try:
            report = pulumi_engine.refresh(self.stack)
        except DeploymentError as error:
            raise self._failed(error) from None
        moved = [step for step in report.steps if step.action in {"refresh", "delete"}]
        return Changes(self.stack.name, self.name, drift=self._changes(moved).items)

    def outputs(self) -> Mapping[str, Output]:
        """Return the outputs of the last up, without those that are null: terraform leaves them out, too."""
        found = pulumi_engine.outputs(self.stack)
        return {name: Output(one.value, one.secret) for name, one in found.items() if one.value is not None}

    def owned(self) -> tuple[str, ...]:
        """Return the ids of everything in the state."""
        return tuple(step.id for step in pulumi_engine.owned(self.stack) if step.id)

    def _changes(self, steps: Iterable[Step]) -> Changes:
        # A resource that was only read is nobody's change.
        return Changes(self.stack.name, self.name, tuple(_change(step) for step in steps if step.action in _ACTIONS))


def _change(step: Step) -> Change:
    return Change(
        address=step.name,
        type=step.type,
        name=step.id.rpartition("/")[2] if step.id else step.name,
        action=_ACTIONS[step.action],
        id=step.id,
        reasons=tuple(_reason(one) for one in step.reasons) if step.action in {"replace", "delete"} else (),
        differences=tuple(Difference(one.path, one.before, one.after) for one in step.differences),
    )


def _reason(text: str) -> str:
    """Return a reason of the engine as a sentence: it names a property, or says what happened."""
    return text if " " in text else f"{text} cannot change in place"


def _changed_outputs(report: Report, before: Mapping[str, pulumi_engine.Output]) -> Iterable[str]:
    for name in {*report.outputs, *before}:
        now, was = report.outputs.get(name), before.get(name)
        if now is None or was is None or not now.known or now.value != was.value:
            yield name


def _digest(owned: Iterable[Step]) -> str:
    facts: list[dict[str, Any]] = [asdict(step) for step in owned]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
