"""What is done for each wish of a program: nothing, create, update, replace, or adopt; and what is deleted at the end.

A preview takes the same decisions on a copy of the state and asks ARM only for what is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlops_kit.errors import LocalError
from mlops_kit.local.iac.pulumi_engine import deletion, resource_types
from mlops_kit.local.iac.pulumi_engine.bodies import as_inputs, body_of, id_of, outputs_of
from mlops_kit.local.iac.pulumi_engine.cases import Case, Change, Refused
from mlops_kit.local.iac.pulumi_engine.cloud import Cloud, CloudError
from mlops_kit.local.iac.pulumi_engine.differences import described, keep
from mlops_kit.local.iac.pulumi_engine.drift import said_by, same, unlike
from mlops_kit.local.iac.pulumi_engine.forecast import forecast
from mlops_kit.local.iac.pulumi_engine.results import Action, Step
from mlops_kit.local.iac.pulumi_engine.state import Entry, State
from mlops_kit.local.iac.pulumi_engine.values import Secret, mark_secret, revealed
from mlops_kit.local.iac.pulumi_engine.wishes import PROVIDER_PREFIX, Wish


class Deployment:
    """One run over one stack. Threads call ``custom``; everything that is shared is behind the lock of the state."""

    def __init__(
        self,
        cloud: Cloud,
        state: State,
        *,
        dry_run: bool,
        defaults: Mapping[str, str],
        on_step: Callable[[Step], None],
        adopts: bool = False,
    ) -> None:
        self._cloud = cloud
        self._dry_run = dry_run
        self._defaults = defaults  # subscriptionId, location: of the default provider
        self._on_step = on_step
        self._adopts = adopts
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}  # ARM id in lower case -> the URN that took it
        self._swept: dict[str, str] = {}  # URN -> the resource with which it was deleted
        self.state = state
        self.seen: set[str] = set()
        self.steps: list[Step] = []
        self.faults: list[str] = []

    def component(self, wish: Wish) -> Entry:
        """Record a component, a stack or a provider: nothing in ARM."""
        self._claim(wish)
        if wish.type.startswith(PROVIDER_PREFIX) and wish.type != PROVIDER_PREFIX + resource_types.PACKAGE:
            raise self.refused(f"{wish.type} {wish.name!r}: the engine knows the provider azure-native only")
        prior = self._prior(wish)
        entry = Entry(
            urn=wish.urn,
            type=wish.type,
            id=f"{wish.name}-id" if wish.custom else "",
            custom=wish.custom,
            parent=wish.parent,
            inputs=wish.inputs,
            outputs=wish.inputs if wish.custom else (prior.outputs if prior else {}),
            dependencies=wish.dependencies,
        )
        if entry != prior:
            self.state.put(entry)
        return entry

    def custom(self, wish: Wish, provider: str) -> Entry:
        """Do what a wish asks for; return the entry, whose outputs are the program's."""
        self._require_going()
        self._claim(wish)
        try:
            return self._decide(self._case(wish, provider))
        except (CloudError, LocalError, Refused) as error:
            text = str(error) if isinstance(error, Refused) else f"{wish.type} {wish.name!r}: {error}"
            refused = self.refused(text)
            if not self._dry_run:
                raise refused from None
            # A preview goes on, so that all faults come to light at once.
            return Entry(wish.urn, wish.type, outputs=forecast(wish.inputs, None, None), parent=wish.parent)

    def _require_going(self) -> None:
        if self._cloud.stopped.is_set():
            raise Refused("the run was stopped")
        if self.faults and not self._dry_run:
            raise Refused("not begun, since another resource failed")

    def refused(self, text: str) -> Refused:
        """Return the refusal of a wish, which is among the faults of the run from now on."""
        with self._lock:
            if text not in self.faults:
                self.faults.append(text)
        return Refused(text)

    def _claim(self, wish: Wish) -> None:
        with self._lock:
            repeated = wish.urn in self.seen
            self.seen.add(wish.urn)
        if repeated:
            raise self.refused(f"two resources have the URN {wish.urn}; give one of them another name")

    def _prior(self, wish: Wish) -> Entry | None:
        """Return the entry of a resource, under its URN or one that it had."""
        if wish.urn not in self.state.entries:
            for alias in wish.aliases:
                if alias in self.state.entries and alias not in self.seen:
                    return self.state.rename(alias, wish.urn)
        return self.state.entries.get(wish.urn)

    def _case(self, wish: Wish, provider: str) -> Case:
        row = resource_types.find(wish.type)
        if row is None:
            known = ", ".join(sorted(resource_types.TYPES))
            raise Refused(f"{wish.type} {wish.name!r}: the engine does not know this resource type; it knows {known}")
        prior = self._prior(wish)
        prior = None if prior is not None and prior.external else prior  # read until now, to be owned from here on
        defaults = self._provider_defaults(provider)
        inputs = wish.inputs
        if "location" in row.immutable and "location" not in inputs and defaults.get("location"):
            inputs = {**inputs, "location": defaults["location"]}
        if prior is not None:
            inputs = keep(inputs, prior.inputs, wish.ignore_changes)
        resource_id = id_of(row, inputs, self.subscription(provider))
        if resource_id is not None:
            with self._lock:
                other = self._ids.setdefault(resource_id.lower(), wish.urn)
            if other != wish.urn:
                raise Refused(f"{wish.type} {wish.name!r}: {resource_id} is already what {other} stands for")
        return Case(wish, row, inputs, resource_id, prior)

    def subscription(self, provider: str) -> str:
        """Return the subscription of a provider, by its reference; '' is the default provider."""
        return str(self._provider_defaults(provider)["subscriptionId"])

    def _provider_defaults(self, provider: str) -> Mapping[str, Any]:
        entry = self.state.entries.get(provider.rpartition("::")[0]) if provider else None
        given = {name: revealed(value) for name, value in entry.inputs.items() if value} if entry else {}
        return {**self._defaults, **given}

    def _decide(self, case: Case) -> Entry:
        prior = case.prior
        if prior is not None and prior.begun and not self._is_still(case, prior):
            self.state.supersede(prior)  # half made under another name: it goes at the end
        if prior is None or prior.begun:
            if case.wish.import_id:
                return self._adopt(case)
            there = self._there(case) if prior is None and self._adopts else None
            return self._create(case) if there is None else self._take_over(case, there)
        return self._go_on(case, prior, "update")

    def _is_still(self, case: Case, begun: Entry) -> bool:
        """Say whether what was begun is what is wished for, or has left nothing behind."""
        named_so = case.id is None or same(case.id, begun.id)
        return named_so or self._cloud.find(begun.id, begun.api_version) is None

    def _go_on(self, case: Case, prior: Entry, action: Action) -> Entry:
        """Bring a resource from what it was to what is wished for."""
        changes = case.changes_from(prior)
        reasons = case.replaced_for(prior, changes)
        if reasons:
            return self._replace(case, prior, reasons, changes)
        if changes:
            return self._update(case, prior, changes, action)
        return self._leave(case, prior, "same" if action == "update" else action)

    def _there(self, case: Case) -> dict[str, Any] | None:
        """Return what is there under the id of a resource that the state does not know."""
        if case.id is None or case.row.singleton or case.wish.urn in self._swept:
            return None
        return self._cloud.find(case.id, case.version)

    def _take_over(self, case: Case, body: Mapping[str, Any]) -> Entry:
        """Record what is there as if the stack had made it, and go on from that; what the program leaves open stays."""
        outputs = self._outputs(case, body)
        live = as_inputs(case.settings, revealed(outputs))
        said = {name: said_by(value, live.get(name)) for name, value in case.settings.items()}
        prior = replace(self._entry(case, case.known_id, outputs), inputs={**case.inputs, **said})
        return self._go_on(case, prior, "import")

    def _create(
        self,
        case: Case,
        action: Action = "create",
        reasons: tuple[str, ...] = (),
        changes: list[Change] | None = None,
    ) -> Entry:
        swept = self._swept.get(case.wish.urn)
        if swept is not None:
            action, reasons = "replace", (f"it lies in {swept}, which is replaced",)
        elif action == "create" and not case.prior and not case.row.singleton:
            self._require_absent(case)
        if self._dry_run:
            entry = self._entry(case, case.id or "", forecast(case.inputs, case.id, None))
            self.state.put(entry)
        else:
            self.state.put(replace(self._entry(case, case.known_id, {}), begun="create"))
            entry = self._put(case)
        self._report(case, action, case.id, reasons, changes or [])
        return entry

    def _require_absent(self, case: Case) -> None:
        """Refuse to overwrite what the stack does not own."""
        if case.id is not None and self._cloud.find(case.id, case.version) is not None:
            how = f"adopt it with pulumi.ResourceOptions(import_={case.id!r})"
            raise Refused(f"{case.subject}: {case.id} exists and is not in the state of this stack; {how}")

    def _put(self, case: Case, limit: str = "create") -> Entry:
        allowed = dict(case.wish.timeouts).get(limit, "")
        body = self._cloud.put(case.known_id, case.version, body_of(case.row, case.inputs), allowed)
        # By the id that was asked for: some services answer with another one, such as that of a role definition.
        entry = self._entry(case, case.known_id, self._outputs(case, body))
        self.state.put(entry)
        return entry

    def _update(self, case: Case, prior: Entry, changes: list[Change], action: Action) -> Entry:
        if self._dry_run:
            entry = self._entry(case, prior.id, forecast(case.inputs, prior.id, prior.outputs))
            self.state.put(entry)
        else:
            entry = self._put(case, "update")
        self._report(case, action, prior.id, (), changes)
        return entry

    def _leave(self, case: Case, prior: Entry, action: Action) -> Entry:
        entry = replace(self._entry(case, prior.id, prior.outputs), inputs=case.inputs, api_version=prior.api_version)
        if entry != self.state.entries.get(case.wish.urn):
            self.state.put(entry)
        self._report(case, action, prior.id)
        return entry

    def _replace(self, case: Case, prior: Entry, reasons: tuple[str, ...], changes: list[Change]) -> Entry:
        if case.wish.protect:
            raise Refused(f"{case.subject}: it is protected, and {', '.join(reasons)} can only change by replacing it")
        in_place = case.id is not None and same(case.id, prior.id)
        if in_place or case.wish.delete_before_replace:
            self._sweep(case, prior)
        elif not prior.retain_on_delete:
            self.state.supersede(prior)
        return self._create(case, "replace", reasons, changes)

    def _sweep(self, case: Case, prior: Entry) -> None:
        """Delete a resource that gives way to another, and first what lies in it: it would go with it."""
        doomed = [one for one in self.state.below(prior.id) if one.urn not in self._swept]
        kept = [one.name for one in doomed if one.protect]
        if kept:
            raise Refused(f"{case.subject}: replacing it would delete what is protected in it: {', '.join(kept)}")
        for one in doomed:
            self._swept[one.urn] = case.wish.name
        for one in (*doomed, prior):
            if not self._dry_run and not one.retain_on_delete:
                self._cloud.delete(one.id, one.api_version)
            self.state.drop(one.urn)

    def _adopt(self, case: Case) -> Entry:
        """Take over a resource that exists, if it is as the program says."""
        wanted = case.wish.import_id
        if case.id is not None and not same(case.id, wanted):
            raise Refused(f"{case.subject}: its inputs lead to {case.id}, not to {wanted}, which is to be adopted")
        body = self._cloud.find(wanted, case.version)
        if body is None:
            raise Refused(f"{case.subject}: {wanted} does not exist and cannot be adopted")
        outputs = outputs_of(case.row, case.version, body)
        live = as_inputs(case.settings, outputs)
        wrong = [path for path in unlike(case.settings, live) if path not in case.row.written_only]
        if wrong:
            raise Refused(
                f"{case.subject}: {wanted} differs from the program in {', '.join(wrong)}; make them equal first"
            )
        entry = self._entry(case, case.id or wanted, self._outputs(case, body))
        self.state.put(entry)
        self._report(case, "import", entry.id)
        return entry

    def _outputs(self, case: Case, body: Mapping[str, Any]) -> dict[str, Any]:
        hidden = {name for name, value in case.inputs.items() if isinstance(value, Secret)}
        return mark_secret(outputs_of(case.row, case.version, body), hidden | case.wish.secret_outputs)

    def _entry(self, case: Case, resource_id: str, outputs: dict[str, Any]) -> Entry:
        wish = case.wish
        return Entry(
            urn=wish.urn,
            type=wish.type,
            id=resource_id,
            parent=wish.parent,
            inputs=case.inputs,
            outputs=outputs,
            dependencies=wish.dependencies,
            api_version=case.version,
            protect=wish.protect,
            retain_on_delete=wish.retain_on_delete,
            deleted_with=wish.deleted_with,
        )

    def _report(
        self,
        case: Case,
        action: Action,
        resource_id: str | None,
        reasons: tuple[str, ...] = (),
        changes: list[Change] | None = None,
    ) -> None:
        wish = case.wish
        self._done(Step(wish.urn, wish.type, wish.name, resource_id, action, reasons, described(changes or [])))

    def _done(self, step: Step) -> None:
        with self._lock:
            self.steps.append(step)
        self._on_step(step)

    def read(self, wish: Wish, resource_id: str) -> Entry:
        """Return what is there under an id, as an entry that the stack does not own."""
        self._claim(wish)
        row = resource_types.find(wish.type)
        if row is None:
            raise self.refused(f"{wish.type} {wish.name!r}: the engine does not know this resource type")
        try:
            version = resource_types.api_version(wish.type)
            body = self._cloud.find(resource_id, version)
        except CloudError as error:
            raise self.refused(f"{wish.type} {wish.name!r}: {error}") from None
        if body is None:
            raise self.refused(f"{wish.type} {wish.name!r}: {resource_id} does not exist and cannot be read")
        outputs = mark_secret(outputs_of(row, version, body), set(wish.secret_outputs))
        entry = Entry(
            wish.urn,
            wish.type,
            str(body["id"]),
            parent=wish.parent,
            outputs=outputs,
            api_version=version,
            external=True,
        )
        if entry != self.state.entries.get(wish.urn):
            self.state.put(entry)
        self._done(Step(wish.urn, wish.type, wish.name, entry.id, "read"))
        return entry

    def finish(self, parallel: int) -> None:
        """Delete what no wish named and what was superseded; each after what depends on it."""
        orphans = [one for one in self.state.entries.values() if one.urn not in self.seen]
        self.delete([*orphans, *self.state.superseded.values()], parallel)

    def delete(self, entries: list[Entry], parallel: int) -> None:
        """Delete entries and their resources, unless one of them is protected."""
        for one in entries:
            if one.protect and one.id not in self.state.superseded:
                how = "take protect=True away in the program and run up first"
                self.refused(f"{one.type} {one.name!r}: it is protected and would be deleted; {how}")
        if self.faults:
            return
        for urn, parent in self._swept.items():  # swept, and not wished for again
            if urn not in self.seen:
                self._done(Step(urn, *_type_and_name(urn), None, "delete", (f"it lay in {parent}, which is replaced",)))
        # Two entries may share a URN: the one that is there, and the one that it took the place of.
        keyed = {one.id if one.id in self.state.superseded else one.urn: one for one in entries}
        # A preview goes one by one, so that its steps have the order that they will have.
        deletion.each(keyed, lambda one: self._delete(one, set(keyed)), 1 if self._dry_run else parallel)

    def _delete(self, entry: Entry, going: set[str]) -> bool:
        """Delete an entry and its resource; say whether that succeeded."""
        if self._cloud.stopped.is_set():
            return False
        kept = entry.retain_on_delete or self._is_singleton(entry)
        gone_with = entry.deleted_with in going
        try:
            if entry.in_arm and not kept and not gone_with and not self._dry_run:
                if entry.id not in self.state.superseded:
                    self.state.put(replace(entry, begun="delete"))
                self._cloud.delete(entry.id, entry.api_version)
        except CloudError as error:
            self.refused(f"{entry.type} {entry.name!r}: {error}")
            return False
        if entry.id in self.state.superseded:
            self.state.forget_superseded(entry.id)
        else:
            self.state.drop(entry.urn)
            if entry.in_arm:
                self._done(Step(entry.urn, entry.type, entry.name, entry.id, "forget" if kept else "delete"))
        return True

    @staticmethod
    def _is_singleton(entry: Entry) -> bool:
        row = resource_types.find(entry.type)
        return row is not None and row.singleton


def _type_and_name(urn: str) -> tuple[str, str]:
    chain, name = urn.split("::")[2:4]
    return chain.rpartition("$")[2], name
