"""What a step has made, as what the next steps are given: data at its address, values as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops_kit.local import uris
from mlops_kit.local.arm.store import Resource
from mlops_kit.local.providers import datastores
from mlops_kit.local.runs.asset_types import FILE
from mlops_kit.local.runs.pipelines import flow
from mlops_kit.local.runs.pipelines.bindings import LITERAL, Value
from mlops_kit.local.runs.pipelines.steps import Step
from mlops_kit.local.runs.states import JobFailedError
from mlops_kit.local.runs.work import Work

Outputs = Mapping[str, Value]


def outputs(work: Work, step: Step, child: Resource) -> dict[str, Value]:
    """Return the outputs of a completed child.

    A value is what the run says in its tag or property ``azureml.pipeline.control``, else what it wrote to the file
    that its command was given.
    """
    left = child.properties.get("outputs") or {}
    data: dict[str, Value] = {
        name: {"jobInputType": str(one["jobOutputType"]), "uri": str(one["uri"])} for name, one in left.items()
    }
    values = [name for name, port in (step.spec.get("outputs") or {}).items() if flow.is_control(port or {})]
    if not values:
        return data
    tag = _tag(work, child)
    return {**data, **{name: flow.said(tag, name) or _read(work, step, name, left.get(name)) for name in values}}


def _tag(work: Work, child: Resource) -> str | None:
    own = (child.properties.get("properties") or {}).get(flow.TAG)
    if own:
        return str(own)
    found = work.plane.tracking.run(work.workspace, str(child.body["name"])).get("tags", {}).get(flow.TAG)
    return str(found) if found else None


def _read(work: Work, step: Step, name: str, output: Mapping[str, Any] | None) -> Value:
    if output is None:
        raise JobFailedError(
            f"{step.title} has not said its output '{name}': write it to ${{{{outputs.{name}}}}}, or set the tag"
            f" '{flow.TAG}' of its MLflow run to a JSON object that has it."
        )
    container, path = uris.resolve(work.plane, uris.parse(str(output["uri"]), work.workspace))
    text = work.plane.blobs.get(container, path).decode("utf-8", "replace").strip()
    return {"jobInputType": LITERAL, "value": text}


def gathered(work: Work, loop: str, step: Step, turns: Mapping[str, Outputs]) -> dict[str, Value]:
    """Return the outputs of a parallel loop: each a table of the places, or a list of the values, of its turns."""
    declared = step.spec.get("outputs") or {}
    return {name: _gathered(work, loop, name, [one.get(name) for one in turns.values()]) for name in declared}


def _gathered(work: Work, loop: str, name: str, found: list[Value]) -> Value:
    there = [one for one in found if one is not None]
    if all(one["jobInputType"] == LITERAL for one in there):
        return {"jobInputType": LITERAL, "value": json.dumps([one["value"] for one in there])}
    kinds = {FILE: "file"}
    paths = [{kinds.get(str(one["jobInputType"]), "folder"): one["uri"]} for one in there]
    place = f"azureml/{work.name}/{loop}/{name}"
    store = datastores.default_datastore(work.plane, work.workspace)
    container = datastores.container(work.plane, work.workspace, store)
    work.plane.blobs.put(container, f"{place}/MLTable", json.dumps({"paths": paths}).encode())
    return {"jobInputType": "mltable", "uri": f"azureml://datastores/{store}/paths/{place}/"}
