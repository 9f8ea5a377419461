"""Whatever a section says within its schema, there are findings at their lines or data, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_kit import environment_keys
from mlops_kit.errors import EnvironmentFileError
from mlops_kit.infra import rules
from mlops_kit.infra import settings as infra_settings
from mlops_kit.infra.names import physical_names

NAMES = st.sampled_from(["a", "cpu", "cpu-1", "image-build", "system", "small", "data", "Failed Runs", "x" * 40])


def values(part: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that a part of the schema accepts, and null."""
    return st.one_of(st.none(), _values(part))


def _values(part: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    kind = part.get("type")
    if "enum" in part:
        return st.sampled_from(part["enum"])
    if kind == "object" and "properties" in part:
        return st.sets(st.sampled_from(sorted(part["properties"])), max_size=4).flatmap(lambda keys: _with(part, keys))
    if kind == "object":
        return st.dictionaries(NAMES, values(part["additionalProperties"]), max_size=2)
    if kind == "array":
        return st.lists(_values(part["items"]), max_size=3)
    if kind == "boolean":
        return st.booleans()
    if kind in {"integer", "number"}:
        least = part.get("minimum", 1)
        return st.integers(least, part.get("maximum", least + 50))
    texts = st.from_regex(part["pattern"], fullmatch=True) if "pattern" in part else st.one_of(NAMES, st.text())
    return texts.filter(lambda text: text.isprintable() and "${" not in text)


def _with(part: Mapping[str, Any], keys: set[str]) -> st.SearchStrategy[Any]:
    """Return objects with these keys and the required ones; with all keys at once, hardly a section is accepted."""
    chosen = {*keys, *part.get("x-required", ())}
    return st.fixed_dictionaries({key: values(part["properties"][key]) for key in sorted(chosen)})


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(section=_values(environment_keys.schema()["properties"]["infra"]), protected=st.booleans())
def test_any_section_gives_findings_or_data(load, base, section, protected):
    environment = load({**base, "protected": protected, "infra": section})
    errors = [finding for finding in rules.findings(environment) if finding.severity == "error"]
    assert all(finding.place.line for finding in errors)
    try:
        data = infra_settings.values(infra_settings.infrastructure(environment))
    except EnvironmentFileError:
        assert errors
        return
    assert not errors
    assert json.loads(json.dumps(data)) == data
    written = json.dumps(data)
    assert all(f'"{name}"' in written for name in physical_names(environment).values())
