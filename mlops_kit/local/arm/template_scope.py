"""What the expressions of a template can ask for: parameters, variables, where it is deployed, and what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
BOUNDS: dict[str, tuple[Callable[[Any], int], str]] = {
    "minLength": (len, "too short"),
    "maxLength": (len, "too long"),
    "minValue": (int, "too small"),
    "maxValue": (int, "too large"),
}
MOST_COPIES = 800  # Azure's limit, too
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
    loops = {str(loop.get("name")): {"copy": [loop]} for loop in _loops(declared)}
    plain = {name: {name: value} for name, value in declared.items() if name != "copy" or not loops}

    def work(name: str) -> Any:
        return resolve({**plain, **loops}[name], functions, "variables")[name]

    functions["variables"] = _on_demand("variable", {**plain, **loops}, work)
    return functions


def _on_demand(kind: str, names: Iterable[str], work: Callable[[str], Any]) -> Function:
    """Return the function that gives a parameter or variable; each is worked out once, when it is first asked for."""
    by_name = {name.lower(): name for name in names}
    values: dict[str, Any] = {}
    asked: list[str] = []

    def value(name: str) -> Any:
        exact = by_name.get(name.lower())
        if exact is None:
            raise TemplateError(f"{kind}s", f"the {kind} '{name}' is not defined.")
        if exact not in values:
            if exact in asked:
                raise TemplateError(f"{kind}s.{exact}", f"the {kind} '{exact}' is defined by itself.")
            asked.append(exact)
            values[exact] = work(exact)
        return values[exact]

    return value


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

    def work(name: str) -> Any:
        if name in values:
            return values[name]
        mine = {**functions, "parameters": parameter}
        return evaluate(declared[name]["defaultValue"], mine, f"parameters.{name}.defaultValue")

    parameter = _on_demand("parameter", declared, work)
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
    if value is None:
        return
    allowed = declared.get("allowedValues")
    if allowed and value not in allowed:
        raise TemplateError(place, f"{value!r} is not one of the allowed values {', '.join(map(str, allowed))}.")
    for limit, (measure, fault) in BOUNDS.items():
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
        return below(start, parts[at:])

    def in_subscription(*parts: str) -> str:
        given = parts if "/" in parts[0] else parts[1:]
        subscription = scope.subscription if given is parts else parts[0]
        return below(f"/subscriptions/{subscription}", given)

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


def below(start: str, parts: tuple[str, ...]) -> str:
    """Return the id of a resource under a scope. A resource group is the one type whose id names no provider."""
    path = provider_path(parts)
    if path.lower().startswith("providers/microsoft.resources/resourcegroups/"):
        return f"{'/'.join(start.split('/')[:3])}/resourceGroups/{parts[1]}"
    return f"{start}/{path}"


def provider_path(parts: tuple[str, ...]) -> str:
    """Return ``providers/NS/type/name/...`` for a full type and one name for each of its segments."""
    namespace, *types = parts[0].rstrip("/").split("/")
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


def loop_count(loop: Mapping[str, Any], functions: Functions, place: str) -> int:
    """Return how often a ``copy`` loop runs; 400 where it has no name or its count is not one."""
    count: Any = evaluate(loop.get("count"), functions, f"{place}.count")
    if not isinstance(loop.get("name"), str) or isinstance(count, bool) or not isinstance(count, int):
        raise TemplateError(place, f"a loop needs a name and a whole number as its count, not {count!r}.")
    if not 0 <= count <= MOST_COPIES:
        raise TemplateError(place, f"a loop runs 0 to {MOST_COPIES} times, not {count}.")
    return int(count)


def resolve(value: Any, functions: Functions, place: str) -> Any:
    """Return ``value`` evaluated, with each ``copy: [{name, count, input}]`` in it replaced by the list it makes."""
    if isinstance(value, list):
        return [resolve(one, functions, f"{place}[{index}]") for index, one in enumerate(value)]
    if not isinstance(value, dict):
        return evaluate(value, functions, place)
    loops = _loops(value)
    plain = {key: one for key, one in value.items() if key != "copy" or not loops}
    whole = {evaluate(key, functions, place): resolve(one, functions, f"{place}.{key}") for key, one in plain.items()}
    for loop in loops:
        inside = f"{place}.copy"
        whole[loop["name"]] = [
            resolve(loop["input"], {**functions, "copyindex": _inner_index(loop["name"], index, functions)}, inside)
            for index in range(loop_count(loop, functions, inside))
        ]
    return whole


def _loops(value: dict[str, Any]) -> list[dict[str, Any]]:
    found = value.get("copy")
    return found if isinstance(found, list) and all(isinstance(one, dict) and "input" in one for one in found) else []


def _inner_index(loop: str, index: int, functions: Functions) -> Function:
    own, outer = copy_index_of({"": index, loop.lower(): index}), functions.get("copyindex")

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
