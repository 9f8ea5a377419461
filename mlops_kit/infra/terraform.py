"""The real ``terraform`` for one environment: plan, apply exactly, refresh, outputs.

python-terraform builds the command lines, which it does well. The rest of it is not used (0.10.1, last released in
2019): its ``destroy`` sends ``-force``, which no terraform takes any more; ``plan(raise_on_error=True)`` raises where
there are changes; ``output(NAME)`` raises TypeError on JSON of today; it passes variables that nobody declared, waits
for the end before it shows a line, gives every program the whole environment of the caller, and keeps no secret out of
what it logs. So programs are run by ``tools``, and values go in a private file.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit.errors import UsageError
from mlops_kit.files import write_private
from mlops_kit.infra import terraform_folder, terraform_plan
from mlops_kit.infra.arm import group_id
from mlops_kit.infra.changes import Changes
from mlops_kit.infra.engine import EndedEarly, Output, Tell
from mlops_kit.infra.redaction import Redactor, redactor
from mlops_kit.infra.saved_plan import Planned, StalePlanError
from mlops_kit.infra.state import State
from mlops_kit.infra.terraform_folder import Folder
from mlops_kit.infra.tools import Finished, Tool, ToolFailed, document, event, events, find

IsThere = Callable[[str, str], bool]
"""Asks the service whether a resource is there: its id, and the API version to ask with."""

_MOST_ROUNDS = 4  # of finding what exists: each may make the parents of others known
_STALE = "Saved plan is stale"
# Variables of terraform that would change what its commands mean, or write values into logs.
_DROPPED = ("TF_CLI_ARGS", "TF_WORKSPACE", "TF_LOG", "TF_VAR_", "TF_DATA_DIR")


def _nothing_is_there(place: str, version: str) -> bool:
    del place, version
    return False


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform for one environment. ``environ`` is all that it sees of variables.

    ``local`` says that the provider is our stand-in. The state is where ``kept`` says, else in the state folder. What
    ``is_there`` says exists and the program would create is taken over.
    """

    folder: Folder
    values: Mapping[str, Any] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    local: bool = False
    kept: State | None = None
    is_there: IsThere = _nothing_is_there
    name: str = "terraform"

    def plan(self, *, destroys: bool = False) -> Planned:
        """Return what terraform would do; what exists already and is not in the state is taken over."""
        found: dict[str, str] = {}
        for _ in range(_MOST_ROUNDS):
            self._lay_out(terraform_plan.import_blocks(found))
            content, shown = self._plan(["-destroy"] if destroys else [])
            more = {} if destroys else terraform_plan.existing(shown, group_id(self.values), self.is_there)
            if not more:
                break
            found |= more
        return Planned(terraform_plan.changes(shown, self.folder.environment), content, destroys)

    def require_fresh(self, planned: Planned) -> None:
        """Refuse a plan that was made from another state than the present one, as terraform itself will."""
        self._lay_out()
        pulled = self._checked("read the state", self._run("state pull")).out
        # Before anything was applied there is no state, and terraform plans from one that it makes up.
        if pulled.strip() and _version(document(pulled)) != _version(_planned_from(planned.content)):
            raise StalePlanError("the state of the infrastructure has changed")

    def apply(self, planned: Planned, tell: Tell) -> Changes:
        """Do exactly what a plan says; terraform itself refuses one that was made from another state."""
        self._lay_out()
        done: list[str] = []
        clear = redactor(self.environ)

        def hear(line: str) -> None:
            for text in _progress(event(line) or {}):
                done.append(text)
                tell(clear.text(text))

        with _private_file(self.folder.state, planned.content) as file:
            finished = self._run("apply", str(file), on_line=hear, json=True, auto_approve=True)
        if finished.status != 0:
            faults = _faults(finished)
            if any(_STALE in fault for fault in faults):
                raise StalePlanError("the state of the infrastructure has changed")
            raise EndedEarly(planned, faults, len(done))
        return planned.changes

    def refresh(self) -> Changes:
        """Record what is there now; return what was changed outside."""
        self._lay_out()
        content, shown = self._plan(["-refresh-only"])
        found = terraform_plan.changes(shown, self.folder.environment)
        if shown.get("resource_drift") or found.outputs:
            with _private_file(self.folder.state, content) as file:
                self._checked("record what is there", self._run("apply", str(file), json=True, auto_approve=True))
        return Changes(found.environment, found.engine, drift=found.drift, outputs=found.outputs)

    def outputs(self) -> Mapping[str, Output]:
        """Return the outputs; terraform answers ``{}`` where nothing was applied yet."""
        self._lay_out()
        finished = self._checked("read the outputs", self._run("output", json=True))
        found = document(finished.out) or {}
        return {name: Output(one.get("value"), bool(one.get("sensitive"))) for name, one in found.items()}

    def owned(self) -> tuple[str, ...]:
        """Return the ids of everything in the state."""
        self._lay_out()
        finished = self._checked("read the state", self._run("show", json=True))
        return tuple(_ids((document(finished.out).get("values") or {}).get("root_module") or {}))

    def _plan(self, flags: list[str]) -> tuple[bytes, dict[str, Any]]:
        with _private_file(self.folder.state, b"") as file:
            finished = self._run(
                "plan", *flags, json=True, out=str(file), var_file=str(self.folder.values), lock_timeout="10s"
            )
            self._checked("plan", finished)
            shown = self._checked("read the plan", self._run("show", str(file), json=True))
            return file.read_bytes(), document(shown.out)

    def _lay_out(self, imports: str = "") -> None:
        """Write the folder, and initialise it unless that was done for this very program."""
        digest = terraform_folder.lay_out(self.folder, self.values, local=self.local, kept=self.kept, imports=imports)
        if self.folder.initialised() == digest:
            return
        # A state in Azure does not move by itself: terraform refuses another backend, and says how to go on.
        backend = str(self.folder.backend) if self.kept else None
        self._checked("init", self._run("init", backend_config=backend, reconfigure=self.local or None))
        write_private(self.folder.stamp, digest)

    def _run(
        self, command: str, *arguments: str, on_line: Callable[[str], None] = lambda _: None, **options: Any
    ) -> Finished:
        environ = {name: value for name, value in self.environ.items() if not name.startswith(_DROPPED)}
        environ |= {"TF_DATA_DIR": str(self.folder.data), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        tool = Tool(find("terraform", environ), self.folder.root, environ, redactor(environ))
        return tool.run(command_line(self.folder.root, command, *arguments, **options), on_line)

    def _checked(self, doing: str, finished: Finished) -> Finished:
        if finished.status != 0:
            raise ToolFailed("terraform", doing, finished.status, _faults(finished) or finished.last_lines())
        return finished


@contextmanager
def _private_file(folder: Path, content: bytes) -> Iterator[Path]:
    """Give a file of mode 0600 in a private folder, gone at the end of the block."""
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=terraform_folder.PLAN)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor
            file.write(content)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _planned_from(content: bytes) -> Mapping[str, Any]:
    """Return the state that a plan was made from: terraform puts it into the file, which is an archive.

    Raises:
        UsageError: The plan does not have it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read("tfstate"))  # type: ignore[no-any-return]
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise UsageError(
            "the plan does not say from which state it was made, as plans of terraform do; plan again"
        ) from None


def _version(state: Mapping[str, Any]) -> tuple[str, int]:
    return state["lineage"], state["serial"]


def command_line(folder: Path, command: str, *arguments: str, **options: Any) -> list[str]:
    """Return the arguments of a terraform command; an option that is True is a flag, one that is None is left out."""
    from python_terraform import IsFlagged
    from python_terraform import Terraform as CommandLines

    flags = {"no_color": IsFlagged, **({"input": False} if command in {"init", "plan", "apply"} else {})}
    given = {name: IsFlagged if value is True else value for name, value in options.items()}
    # Of a folder that is there it would read the state file.
    builder = CommandLines(working_dir=str(folder / "nowhere"))
    whole: list[str] = builder.generate_cmd_string(command, *arguments, **flags, **given)
    return whole[1:]


def _progress(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each resource that is done."""
    if facts.get("type") == "apply_complete":
        hook = facts["hook"]
        yield f"{hook['action']} {hook['resource']['addr']} ({hook.get('elapsed_seconds', 0)} s)"


def _faults(finished: Finished) -> tuple[str, ...]:
    """Return the errors that terraform told, each as one sentence that names the resource or the line."""
    found = [one["diagnostic"] for one in events(finished.out) if one.get("type") == "diagnostic"]
    told = tuple(_sentence(one, finished.redactor) for one in found if one.get("severity") == "error")
    return told or tuple(finished.last_lines()[-1:])


def _sentence(diagnostic: Mapping[str, Any], clear: Redactor) -> str:
    place = diagnostic.get("range") or {}
    line = f"{place['filename']}:{place['start']['line']}" if place.get("filename") else ""
    where = diagnostic.get("address") or line
    parts = (clear.text(str(part or "")) for part in (where, diagnostic.get("summary"), diagnostic.get("detail")))
    return ": ".join(" ".join(part.split()) for part in parts if part)


def _ids(module: Mapping[str, Any]) -> Iterator[str]:
    for one in module.get("resources", []):
        if one.get("mode") == "managed" and one["values"].get("id"):
            yield str(one["values"]["id"])
    for inner in module.get("child_modules", []):
        yield from _ids(inner)
