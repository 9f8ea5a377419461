"""Bodies of any shape, through the real terraform: what is written is what is sent, and the second plan is empty."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
_NAMES = st.text(string.ascii_letters + "_-.äß", min_size=1, max_size=6)
_SCALARS = st.one_of(
    st.booleans(),
    st.text(string.ascii_letters + string.digits + " .:-/'\"\\\nü€", max_size=8),
    st.integers(-(2**70), 2**70),
    st.decimals(-1000, 1000, places=3).map(float),
    st.none(),
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=10
)
_BODIES = st.dictionaries(_NAMES, _VALUES, max_size=4)


def _plain(value: Any) -> Any:
    """Terraform knows one kind of number: 1.0 is 1."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(_BODIES, min_size=20, max_size=20))
def test_a_body_of_any_shape_is_sent_as_written_and_stable(terraform_on, service, bodies):
    service.stored.clear()
    (terraform_on.folder / "terraform.tfstate").unlink(missing_ok=True)
    resource = {
        f"r{index}": {
            "type": "Microsoft.Web/sites@2024-01-01",
            "parent_id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
            "name": f"r{index}",
            "body": {"properties": body},
            "response_export_values": ["properties"],
        }
        for index, body in enumerate(bodies)
    }
    terraform_on.write("")
    text = json.dumps({"resource": {"azapi_resource": resource}})
    (terraform_on.folder / "bodies.tf.json").write_text(text, encoding="utf-8")
    terraform_on.apply()
    sent = {path.rpartition("/")[2]: body["properties"] for path, body in service.stored.items()}
    assert sent == {f"r{index}": _plain(body) for index, body in enumerate(bodies)}
    terraform_on.assert_stable()
