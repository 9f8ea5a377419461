"""What the expressions of a template can ask for: parameters, variables, where it is deployed, and what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_kit.local.arm.template_functions import FUNCTIONS
from mlops_kit.local.arm.template_language import Function, Functions, TemplateError, evaluate
from mlops_kit.local.settings import DOMAIN, MANAGEMENT_URL, PORTAL_URL, STORAGE_SUFFIX, TENANT

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_kit.local.arm.deployments import Outcome

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "securestring": (str,),
    "int": (int,),
    "bool": (bool,),
    "object": (dict,),
    "secureobject": (dict,),
    "array": (list,),
}
_CONTEXT = (
    "copyindex deployment environment extensionresourceid listkeys parameters reference resourcegroup resourceid"
    " subscription subscriptionresourceid tenant tenantresourceid utcnow variables"
)
KNOWN = frozenset(FUNCTIONS) | frozenset(_CONTEXT.split()) | {"if", "and", "or"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a deployment writes: a resource group, or a whole subscription where ``group`` is empty."""

    subscription: str
    group: str
    name: str  # of the deployment
    location: str = ""

    @property
    def id(self) -> str:
        """Return the id of the group or subscription."""
        return f"/subscriptions/{self.subscription}" + (f"/resourceGroups/{self.group}" if self.group else "")

    @property
    def deployment_id(self) -> str:
        """Return the id of the deployment itself."""
        return f"{self.id}/providers/Microsoft.Resources/deployments/{self.name}"


@dataclass(frozen=True, slots=True)
class Door:
    """How a deployment reaches the resources."""

    put: Callable[[str, dict[str, Any]], None]  # id, body; raises ArmError
    get: Callable[[str], dict[str, Any] | None]
    act: Callable[[str, str], dict[str, Any]]  # id, action such as listKeys
    record: Callable[[Scope, dict[str, Any], Outcome], None]  # a deployment that has ended, and its request
    now: Callable[[], datetime]


def scope_functions(template: dict[str, Any], given: dict[str, Any], scope: Scope, door: Door) -> dict[str, Function]:
    """Return all functions of a template: its parameters are resolved and checked now, its variables when asked for."""
    functions: dict[str, Function] = {**FUNCTIONS, **_place_functions(scope, door)}
    functions["parameters"] = _parameters(template, given, functions)
    declared = template.get("variables") or {}
    by_name = {name.lower(): name for name in declared}
    values: dict[str, Any] = {}

    def variable(name: str) -> Any:
        if name.lower() not in by_name:
            raise TemplateError("variables", f"the variable '{name}' is not defined.")
        exact = by_name[name.lower()]
        if exact not in values:
            place = f"variables.{exact}"
            holder = with_loops({exact: declared[exact]}, functions, place)
            values[exact] = evaluate(holder[exact], functions, place)
        return values[exact]

    functions["variables"] = variable
    return functions


def _parameters(template: dict[str, Any], given: dict[str, Any], functions: Functions) -> Any:
    """Return a function that gives a parameter's value; 400 at once for unknown, missing or unfit parameters."""
    declared = template.get("parameters") or {}
    by_name = {name.lower(): name for name in declared}
    values: dict[str, Any] = {}
    for name, one in given.items():
        if name.lower() not in by_name:
            known = ", ".join(declared) or "none"
            raise TemplateError("parameters", f"the parameter '{name}' is not defined; there are: {known}.")
        if isinstance(one, dict) and "reference" in one:
            raise TemplateError(f"parameters.{name}", "a reference to a key vault cannot be resolved here.")
        # A null value means: not given.
        if isinstance(one, dict) and one.get("value") is not None:
            values[by_name[name.lower()]] = one["value"]
    missing = [name for name, one in declared.items() if name not in values and "defaultValue" not in one]
    if missing:
        raise TemplateError("parameters", f"no value is given for: {', '.join(missing)}.")

    def parameter(name: str) -> Any:
        if name.lower() not in by_name:
            raise TemplateError("parameters", f"the parameter '{name}' is not defined.")
        exact = by_name[name.lower()]
        if exact not in values:
            mine = {**functions, "parameters": parameter}
            values[exact] = evaluate(declared[exact]["defaultValue"], mine, f"parameters.{exact}.defaultValue")
        return values[exact]

    for name in declared:
        _check_parameter(name, declared[name], parameter(name))
    return parameter


def _check_parameter(name: str, declared: dict[str, Any], value: Any) -> None:
    place, kind = f"parameters.{name}", str(declared.get("type", "")).lower()
    if kind not in _TYPES:
        raise TemplateError(place, f"the type '{declared.get('type')}' is not one of {', '.join(_TYPES)}.")
    fits = isinstance(value, _TYPES[kind]) and not (kind == "int" and isinstance(value, bool))
    if value is not None and not fits:
        raise TemplateError(place, f"a value of type {kind} is needed, not {value!r}.")
    allowed = declared.get("allowedValues")
    if allowed and value not in allowed:
        raise TemplateError(place, f"{value!r} is not one of the allowed values {', '.join(map(str, allowed))}.")
    for limit, measure, fault in (
        ("minLength", len, "too short"),
        ("maxLength", len, "too long"),
        ("minValue", int, "too small"),
        ("maxValue", int, "too large"),
    ):
        bound = declared.get(limit)
        if bound is not None and (measure(value) < bound if limit.startswith("min") else measure(value) > bound):
            raise TemplateError(place, f"{value!r} is {fault}: {limit} is {bound}.")


def _place_functions(scope: Scope, door: Door) -> dict[str, Function]:
    """Return the functions that tell where a deployment runs and that build ids."""

    def group() -> dict[str, Any]:
        found = door.get(scope.id)
        if not scope.group or found is None:
            raise TemplateError("resourceGroup()", "a deployment to a subscription has no resource group.")
        return found

    def in_scope(*parts: str) -> str:
        # ([subscription], [group], type, name, ...): the type is the first part with a slash
        at = next((index for index, part in enumerate(parts) if "/" in part), len(parts))
        before = parts[:at]
        subscription = before[-2] if len(before) > 1 else scope.subscription
        named = before[-1] if before else scope.group
        start = f"/subscriptions/{subscription}" + (f"/resourceGroups/{named}" if named else "")
        return f"{start}/{provider_path(parts[at:])}"

    def in_subscription(*parts: str) -> str:
        given = parts if "/" in parts[0] else parts[1:]
        subscription = scope.subscription if given is parts else parts[0]
        return f"/subscriptions/{subscription}/{provider_path(given)}"

    suffixes = {"storage": STORAGE_SUFFIX, "keyvaultDns": f".vault.{DOMAIN}", "acrLoginServer": f".azurecr.{DOMAIN}"}
    environment = {"name": "AzureLocal", "resourceManager": MANAGEMENT_URL, "portal": PORTAL_URL, "suffixes": suffixes}
    return {
        "resourcegroup": group,
        "subscription": lambda: {
            "id": f"/subscriptions/{scope.subscription}",
            "subscriptionId": scope.subscription,
            "tenantId": TENANT,
            "displayName": "Local",
        },
        "tenant": lambda: {"tenantId": TENANT, "displayName": "Local"},
        "deployment": lambda: {"name": scope.name, "location": scope.location, "properties": {}},
        "environment": lambda: environment,
        "utcnow": lambda form="yyyyMMddTHHmmssZ": _moment(door.now(), form),
        "resourceid": in_scope,
        "subscriptionresourceid": in_subscription,
        "tenantresourceid": lambda *parts: f"/{provider_path(parts)}",
        "extensionresourceid": lambda resource_id, *parts: f"{resource_id}/{provider_path(parts)}",
    }


def provider_path(parts: tuple[str, ...]) -> str:
    """Return ``providers/NS/type/name/...`` for a full type and one name for each of its segments."""
    namespace, *types = parts[0].split("/")
    names = parts[1:]
    if len(types) != len(names):
        raise ValueError(f"the type '{parts[0]}' needs {len(types)} names, not {len(names)}")
    return f"providers/{namespace}/" + "/".join(f"{kind}/{name}" for kind, name in zip(types, names, strict=True))


def _moment(now: datetime, form: str) -> str:
    """Write a moment in a .NET format, as far as templates use it: d, u, o and the letters y M d H m s."""
    if form in {"d", "u", "o"}:
        return now.strftime({"d": "%m/%d/%Y", "u": "%Y-%m-%d %H:%M:%SZ", "o": "%Y-%m-%dT%H:%M:%S.%f0Z"}[form])
    for letters, code in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S")):
        form = form.replace(letters, code)
    return now.strftime(form)


def copy_index_of(indices: dict[str, int]) -> Function:
    """Return the function ``copyIndex``; the key "" is the loop that is meant where none is named."""

    def copy_index(*given: Any) -> int:
        name = next((one for one in given if isinstance(one, str)), "")
        offset = next((one for one in given if isinstance(one, int)), 0)
        return indices[name.lower()] + offset

    return copy_index


def with_loops(value: Any, functions: Functions, place: str) -> Any:
    """Return ``value`` with each ``copy: [{name, count, input}]`` in it replaced by the list that it makes."""
    if isinstance(value, list):
        return [with_loops(one, functions, place) for one in value]
    if not isinstance(value, dict):
        return value
    whole = {key: with_loops(one, functions, place) for key, one in value.items() if key != "template"}
    if "template" in value:
        whole["template"] = value["template"]
    loops = whole.get("copy")
    if not (isinstance(loops, list) and all(isinstance(one, dict) and "input" in one for one in loops)):
        return whole
    del whole["copy"]
    for loop in loops:
        count = evaluate(loop["count"], functions, f"{place}.copy.{loop['name']}")
        before = functions.get("copyindex")
        whole[loop["name"]] = [
            evaluate(loop["input"], {**functions, "copyindex": _inner_index(loop["name"], i, before)}, place)
            for i in range(count)
        ]
    return whole


def _inner_index(loop: str, index: int, outer: Function | None) -> Function:
    own = copy_index_of({"": index, loop.lower(): index})

    def copy_index(*given: Any) -> int:
        name = next((one for one in given if isinstance(one, str)), loop)
        chosen = own if name.lower() == loop.lower() or outer is None else outer
        return int(chosen(*given))

    return copy_index


def with_references(functions: Functions, ready: Callable[[str], str], door: Door) -> Functions:
    """Return the functions plus those that read what is deployed; ``ready`` turns a name or id into an id."""

    def reference(given: str, api_version: str = "", full: str = "") -> Any:
        del api_version
        resource_id = ready(given)
        body = door.get(resource_id)
        if body is None:
            raise ValueError(f"the resource '{resource_id}' does not exist")
        return body if full.lower() == "full" else body.get("properties", {})

    def list_keys(given: str, api_version: str = "", body: Any = None) -> dict[str, Any]:
        del api_version, body
        return door.act(ready(given), "listKeys")

    return {**functions, "reference": reference, "listkeys": list_keys}
