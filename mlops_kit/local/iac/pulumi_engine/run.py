"""One command over one stack, inside the child process: load the state, run what is to be run, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops_kit.local.iac.pulumi_engine import program, project, resource_types
from mlops_kit.local.iac.pulumi_engine import state as states
from mlops_kit.local.iac.pulumi_engine.bodies import outputs_of
from mlops_kit.local.iac.pulumi_engine.cloud import Cloud, CloudError
from mlops_kit.local.iac.pulumi_engine.deployment import Deployment
from mlops_kit.local.iac.pulumi_engine.differences import described, differing
from mlops_kit.local.iac.pulumi_engine.drift import moved
from mlops_kit.local.iac.pulumi_engine.monitor import Engine, Monitor
from mlops_kit.local.iac.pulumi_engine.results import Report, Step
from mlops_kit.local.iac.pulumi_engine.stack_outputs import named
from mlops_kit.local.iac.pulumi_engine.state import Entry, State
from mlops_kit.local.iac.pulumi_engine.values import MASK, Secret, mark_secret, revealed, secrets_in


@dataclass(frozen=True, slots=True)
class Request:
    """What the parent asks for. ``config`` holds texts, ``secret_keys`` the secret ones; ``plan`` is a fingerprint."""

    command: str
    folder: Path
    stack: str
    state: Path
    config: Mapping[str, str]
    secret_keys: tuple[str, ...] = ()
    parallel: int = 16
    adopts: bool = False
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A report, and the faults that ended the run early; ``stale`` where it is not what the plan says."""

    report: Report
    faults: tuple[str, ...] = ()
    stale: bool = False


class Run:
    """A request that is carried out; ``on_step`` and ``on_message`` hear of it as it goes."""

    def __init__(
        self, request: Request, cloud: Cloud, on_step: Callable[[Step], None], on_message: Callable[[str], None]
    ) -> None:
        self._request = request
        self._cloud = cloud
        self._on_step = on_step
        self._on_message = on_message
        self._secrets = {request.config[key] for key in request.secret_keys if request.config.get(key)}
        self._faults: list[str] = []
        self._messages: list[str] = []

    def execute(self) -> Result:
        """Carry out the request."""
        command = _COMMANDS[self._request.command]
        with states.opened(self._request.state) as state:
            return command(self, state)

    def _preview(self, state: State) -> Result:
        return self._deploy(state.scratch(), dry_run=True, on_step=self._on_step)

    def _up(self, state: State) -> Result:
        """Preview unheard, so that what cannot work changes nothing; then do it, if it is what was planned."""
        present = self._deploy(state.scratch(), dry_run=True, on_step=lambda _: None)
        if present.faults:
            return replace(present, report=replace(present.report, steps=()))
        if self._request.plan and self._request.plan != present.report.fingerprint():
            return replace(present, stale=True)
        self._messages.clear()
        return self._deploy(state, dry_run=False, on_step=self._on_step)

    def _deploy(self, state: State, *, dry_run: bool, on_step: Callable[[Step], None]) -> Result:
        request = self._request
        found = project.load(request.folder)
        namespaced = {project.in_namespace(found.name, key): value for key, value in request.config.items()}
        values = {**project.stack_config(found, request.stack), **namespaced}
        deployment = self._deployment(state, values, dry_run=dry_run, on_step=on_step)
        monitor = Monitor(deployment, self._cloud, found.name, request.stack, dry_run=dry_run)
        try:
            program.run(
                found.program,
                monitor,
                Engine(self._heard),
                project=found.name,
                stack_name=request.stack,
                dry_run=dry_run,
                values=values,
                secret_keys=[project.in_namespace(found.name, key) for key in request.secret_keys],
                parallel=request.parallel,
            )
        except program.ProgramError as error:
            self._faults.append(str(error))
        faults = [*deployment.faults, *self._faults]
        if not faults and not self._cloud.stopped.is_set():
            deployment.finish(request.parallel)
            faults = deployment.faults
            state.set_outputs(monitor.outputs)
        self._secrets |= secrets_in(monitor.outputs) | _secrets_of(state)
        return self._result(deployment.steps, monitor.outputs, faults)

    def _deployment(
        self, state: State, values: Mapping[str, str], *, dry_run: bool, on_step: Callable[[Step], None]
    ) -> Deployment:
        defaults = {
            "subscriptionId": values.get("azure-native:subscriptionId") or self._cloud.subscription,
            "location": values.get("azure-native:location", ""),
        }
        adopts = self._request.adopts
        return Deployment(self._cloud, state, dry_run=dry_run, defaults=defaults, on_step=on_step, adopts=adopts)

    def _destroy(self, state: State) -> Result:
        deployment = self._deployment(state, {}, dry_run=False, on_step=self._on_step)
        self._secrets |= _secrets_of(state)
        deployment.delete([*state.entries.values(), *state.superseded.values()], self._request.parallel)
        if not deployment.faults and not state.entries:
            state.set_outputs({})
        return self._result(deployment.steps, state.outputs, deployment.faults)

    def _refresh(self, state: State) -> Result:
        """Compare what is recorded with what is there, and record that."""
        from concurrent.futures import ThreadPoolExecutor

        self._secrets |= _secrets_of(state)
        owned = [entry for entry in state.entries.values() if entry.in_arm]
        with ThreadPoolExecutor(self._request.parallel) as threads:
            steps = [step for step in threads.map(lambda entry: self._look(state, entry), owned) if step is not None]
        return self._result(steps, state.outputs, self._faults)

    def _look(self, state: State, entry: Entry) -> Step | None:
        row = resource_types.find(entry.type)
        if row is None:
            self._faults.append(f"{entry.type} {entry.name!r}: the engine no longer knows this resource type")
            return None
        try:
            body = self._cloud.find(entry.id, entry.api_version)
        except CloudError as error:
            self._faults.append(f"{entry.type} {entry.name!r}: {error}")
            return None
        step = Step(entry.urn, entry.type, entry.name, entry.id, "same")
        if body is None:
            state.drop(entry.urn)
            why = "it was never made" if entry.begun == "create" else "it was deleted outside"
            step = replace(step, action="delete", reasons=(why,))
        else:
            hidden = {name for name, value in entry.outputs.items() if isinstance(value, Secret)}
            live = outputs_of(row, entry.api_version, body)
            inputs = moved(row, entry.inputs, revealed(entry.outputs), live)
            differences = described(differing(entry.inputs, inputs))
            state.put(replace(entry, inputs=inputs, outputs=mark_secret(live, hidden), begun=""))
            step = replace(step, action="refresh", differences=differences) if differences else step
        self._on_step(step)
        return step

    def _heard(self, severity: str, message: str) -> None:
        text = f"{severity}: {message}" if severity != "info" else message
        if severity == "error":  # as with the CLI: a program that reports an error has failed
            self._faults.append(message)
        self._messages.append(text)
        self._on_message(self._cleared(text))

    def _result(self, steps: list[Step], outputs: Mapping[str, Any], faults: list[str]) -> Result:
        report = Report(
            self._request.command,
            tuple(steps),
            named(outputs),
            tuple(self._cleared(one) for one in self._messages),
        )
        if self._cloud.stopped.is_set():
            faults = [*faults, "the run was stopped; the next one continues"]
        return Result(report, tuple(self._cleared(one) for one in dict.fromkeys(faults)))

    def _cleared(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text


_COMMANDS: dict[str, Callable[[Run, State], Result]] = {
    "preview": Run._preview,  # noqa: SLF001  the table of this class
    "up": Run._up,  # noqa: SLF001
    "refresh": Run._refresh,  # noqa: SLF001
    "destroy": Run._destroy,  # noqa: SLF001
}


def _secrets_of(state: State) -> set[str]:
    found: set[str] = set()
    for entry in state.entries.values():
        found |= secrets_in(entry.inputs) | secrets_in(entry.outputs)
    return found
