"""The ``pulumi`` CLI for one environment in Azure: its JSON goes in, typed changes come out.

The program reads the environment's files itself. Values of the command line reach it in the stack's configuration, of
which each run has a private copy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.files import write_private
from mlops_kit.infra.changes import MASK, Action, Change, Changes, Difference
from mlops_kit.infra.engine import EndedEarly, Output, Tell
from mlops_kit.infra.redaction import redactor
from mlops_kit.infra.saved_plan import Planned, StalePlanError
from mlops_kit.infra.state import State
from mlops_kit.infra.tools import Finished, Tool, ToolFailed, document, event, events, find

PROGRAM = Path("infra") / "pulumi"
MODULES = Path("modules") / "pulumi"
# A replacement is told in three steps; the one in the middle stands for it.
ACTIONS: Mapping[str, Action] = {
    "create": "create",
    "update": "update",
    "replace": "replace",
    "delete": "delete",
    "same": "same",
    "import": "adopt",
    "discard": "forget",
}
_PLAN = "plan.json"  # in the state folder, while pulumi works with it
_DIGEST = 32  # bytes of the state's digest, before the plan in pulumi's own form
_COMPONENT = "pulumi:"  # stacks and providers: nothing in Azure


def program(project: Path) -> Iterator[Path]:
    """Yield the files that the program is made of; UsageError where the project has none."""
    root = project / PROGRAM
    if not (root / "Pulumi.yaml").is_file():
        raise UsageError(f"{root} holds no Pulumi.yaml: the project has no Pulumi program")
    yield root / "Pulumi.yaml"  # those of stacks say nothing that is not in the values
    yield from root.glob("*.py")
    yield from (project / MODULES).glob("*.py")


def configuration(project: Path, environment: str, group: Mapping[str, Any], overrides: Iterable[str]) -> str:
    """Return the configuration file of a stack, as YAML.

    ``group`` is the resource group of the values, ``overrides`` are what ``--set`` takes. What the file of the project
    says beside, such as the salt of the stack's secrets, is kept.
    """
    import yaml

    own = configuration_file(project, environment)
    facts = (yaml.safe_load(own.read_text(encoding="utf-8")) or {}) if own.is_file() else {}
    named = yaml.safe_load((project / PROGRAM / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    ours = {
        "azure-native:location": group["location"],
        "azure-native:subscriptionId": group["subscription_id"],
        f"{named}:set": list(overrides),
    }
    text: str = yaml.safe_dump({**facts, "config": {**(facts.get("config") or {}), **ours}}, sort_keys=False)
    return text


def configuration_file(project: Path, environment: str) -> Path:
    """Return where the CLI looks for the configuration of a stack."""
    return project / PROGRAM / f"Pulumi.{environment}.yaml"


@dataclass(frozen=True, slots=True)
class Pulumi:
    """The CLI over the stack of one environment.

    ``group`` is the resource group of the values, ``state`` a private folder, ``kept`` where the CLI keeps its state
    unless that is where it is logged in; ``overrides`` are what ``--set`` takes.
    """

    project: Path
    environment: str
    group: Mapping[str, Any]
    state: Path
    environ: Mapping[str, str] = field(repr=False)
    overrides: tuple[str, ...] = field(default=(), repr=False)
    kept: State | None = None
    name: str = "pulumi"

    def plan(self, *, destroys: bool = False) -> Planned:
        """Return what pulumi would do."""
        if destroys:
            shown = self._checked("preview the destroy", self._run("destroy", "--preview-only", "--json"))
            changes = self._changes(_steps(shown.out))
            return Planned(changes, _content(changes), destroys=True)
        state, file = self._digest_of_state(), self.state / _PLAN
        write_private(file, "")
        try:
            shown = self._checked("preview", self._run("preview", "--json", "--save-plan", str(file)))
            return Planned(self._changes(_steps(shown.out)), state + file.read_bytes())
        finally:
            file.unlink(missing_ok=True)

    def require_fresh(self, planned: Planned) -> None:
        """Refuse a plan that was made from another state; pulumi would do what of it is still possible."""
        present = self.plan(destroys=True).content if planned.destroys else self._digest_of_state()
        if present != (planned.content if planned.destroys else planned.content[:_DIGEST]):
            raise StalePlanError("the state of the infrastructure has changed")

    def apply(self, planned: Planned, tell: Tell) -> Changes:
        """Do exactly what was planned; pulumi itself refuses what is not in a saved plan."""
        self.require_fresh(planned)
        if planned.destroys:
            finished, done = self._listen(tell, "destroy", "--yes", "--skip-preview", "--json")
        else:
            file = self.state / _PLAN
            write_private(file, planned.content[_DIGEST:])
            try:
                arguments = ("--plan", str(file), "--yes", "--skip-preview", "--json")
                finished, done = self._listen(tell, "up", *arguments)
            finally:
                file.unlink(missing_ok=True)
        if finished.status != 0:
            raise EndedEarly(planned, _faults(finished), done)
        return planned.changes

    def refresh(self) -> Changes:
        """Record what is there now; return what was changed outside."""
        finished = self._checked("refresh", self._run("refresh", "--yes", "--skip-preview", "--json"))
        moved = self._changes(one for one in _events(finished.out, "resOutputsEvent") if one.get("op") != "same")
        return Changes(self.environment, self.name, drift=moved.real)

    def outputs(self) -> Mapping[str, Output]:
        """Return the outputs; pulumi masks those that are secret unless it is asked for them."""
        masked, clear = (
            document(self._checked("read the outputs", self._run("stack", "output", "--json", *flags)).out)
            for flags in ((), ("--show-secrets",))
        )
        found = ((name, value) for name, value in clear.items() if value is not None)  # as terraform leaves them out
        return {name: Output(value, masked.get(name) == MASK and value != MASK) for name, value in found}

    def owned(self) -> tuple[str, ...]:
        """Return the ids of everything in the state."""
        return tuple(str(one["id"]) for one in self._exported() if one.get("custom") and one.get("id"))

    def _exported(self) -> list[Mapping[str, Any]]:
        whole = document(self._checked("read the state", self._run("stack", "export")).out)
        return (whole.get("deployment") or {}).get("resources") or []

    def _digest_of_state(self) -> bytes:
        """Return what a plan begins with: pulumi's own form of it does not say from which state it was made."""
        return hashlib.sha256(json.dumps(self._exported(), sort_keys=True).encode()).digest()

    def _listen(self, tell: Tell, *arguments: str) -> tuple[Finished, int]:
        done: list[str] = []
        clear = redactor(self.environ)

        def hear(line: str) -> None:
            facts = ((event(line) or {}).get("resOutputsEvent") or {}).get("metadata") or {}
            if facts.get("op") in {*ACTIONS} - {"same"} and not _is_component(facts):
                done.append(f"{facts['op']} {_address(facts['urn'])}")
                tell(clear.text(done[-1]))

        return self._run(*arguments, on_line=hear), len(done)

    def _run(self, *arguments: str, on_line: Callable[[str], None] = lambda _: None) -> Finished:
        # Saved plans are a preview feature of the CLI, which hides them unless this is set.
        environ = {**self.environ, "PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_UPDATE_CHECK": "true", "NO_COLOR": "1"}
        if self.kept is not None:
            environ["PULUMI_BACKEND_URL"] = self.kept.pulumi
        tool = Tool(find("pulumi", environ), self.project / PROGRAM, environ, redactor(environ))
        if not {"--plan", "--save-plan"} & {*arguments}:
            (self.state / _PLAN).unlink(missing_ok=True)  # of a run that was killed; it holds values in clear
        runs_program = arguments[0] in {"preview", "up"}
        configured = ("--config-file", str(self._configuration())) if runs_program else ()
        return tool.run([*arguments, "--stack", self.environment, "--non-interactive", *configured], on_line)

    def _configuration(self) -> Path:
        """Write the stack's configuration as this run is to have it."""
        file = self.state / f"Pulumi.{self.environment}.yaml"
        write_private(file, configuration(self.project, self.environment, self.group, self.overrides))
        return file

    def _checked(self, doing: str, finished: Finished) -> Finished:
        if finished.status != 0:
            raise ToolFailed("pulumi", doing, finished.status, _faults(finished))
        return finished

    def _changes(self, steps: Iterable[Mapping[str, Any]]) -> Changes:
        found = (one for one in steps if one.get("op") in ACTIONS and not _is_component(one))
        return Changes(self.environment, self.name, tuple(_change(one) for one in found))


def _steps(text: str) -> list[Mapping[str, Any]]:
    """Return the steps of a preview: one document, or events where the CLI streams them."""
    streamed = list(_events(text, "resourcePreEvent"))
    return streamed or list(document(text).get("steps") or [])


def _events(text: str, kind: str) -> Iterator[Mapping[str, Any]]:
    for one in events(text):
        metadata = (one.get(kind) or {}).get("metadata")
        if metadata:
            yield metadata


def _is_component(step: Mapping[str, Any]) -> bool:
    """Say whether a step is about something that is not in Azure: a stack, a provider, a component."""
    new = _side(step, "new")
    return new.get("custom") is False or _type(step).startswith(_COMPONENT)


def _side(step: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    """Return the new or old state of a step, the other one where there is none."""
    other = {"new": "old", "old": "new"}[side]
    for key in (side, f"{side}State", other, f"{other}State"):
        if step.get(key):
            return step[key]  # type: ignore[no-any-return]
    return {}


def _type(step: Mapping[str, Any]) -> str:
    return str(step.get("type") or str(step.get("urn", "")).split("::")[2:3][0].rpartition("$")[2])


def _address(urn: str) -> str:
    return urn.rpartition("::")[2]


def _change(step: Mapping[str, Any]) -> Change:
    action = ACTIONS[step["op"]]
    place = _side(step, "old").get("id") or None
    reasons = step.get("replaceReasons") or step.get("keys") or []
    return Change(
        address=_address(step["urn"]),
        type=_type(step),
        name=place.rpartition("/")[2] if place else _address(step["urn"]),
        action=action,
        id=place,
        reasons=tuple(f"{one} cannot change in place" for one in reasons) if action == "replace" else (),
        differences=tuple(_differences(step)) if action in {"update", "replace"} else (),
    )


def _differences(step: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the properties that the CLI names as different, with their inputs where it has them as single values."""
    old, new = (_side(step, side).get("inputs") or {} for side in ("old", "new"))
    for path in step.get("detailedDiff") or step.get("diffReasons") or step.get("diffs") or ():
        yield Difference(str(path), old.get(path), new.get(path))


def _content(changes: Changes) -> bytes:
    return json.dumps(sorted((item.address, item.action, item.id) for item in changes.real)).encode()


def _faults(finished: Finished) -> tuple[str, ...]:
    """Return the errors that pulumi told, in its events or at the end of its text."""
    told = [one.get("diagnosticEvent") or {} for one in events(finished.out)]
    said = [finished.redactor.text(str(one["message"])) for one in told if one.get("severity") == "error"]
    found = [" ".join(text.split()) for text in said]
    return tuple(dict.fromkeys(found)) or tuple(finished.last_lines())
