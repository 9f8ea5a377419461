"""The Jinja environment of computed expressions: no Python objects, no chance, no result that grows without bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mlops_kit.scalars import written
from mlops_kit.slugs import slug

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

MOST_BITS = 1024
"""A whole number may have this many; more is no setting of anything, and powers of powers never end."""
LONGEST = 100_000
"""A text or list that is computed may have this many characters or items."""

# Filters that differ between runs, or whose result is as long as a number in them says.
_LEFT_OUT = ("random", "batch", "center", "format", "indent", "slice", "urlize", "wordwrap", "xmlattr")


def sandbox(missing: Callable[[Mapping[str, Any], str], str], known: Sequence[str]) -> SandboxedEnvironment:
    """Return the environment.

    ``missing`` words that a mapping has no such key; ``known`` are the names that an expression may begin with.
    """

    class Missing(jinja2.StrictUndefined):
        __slots__ = ()

        @property
        def _undefined_message(self) -> str:
            name = self._undefined_name
            if self._undefined_hint or name is None:
                return self._undefined_hint or "a value is missing"
            if isinstance(self._undefined_obj, Mapping):
                return missing(self._undefined_obj, str(name))
            return f"there is no {name!r}; an expression knows {', '.join(known)}"

    class Sandbox(ImmutableSandboxedEnvironment):
        code_generator_class = _Generator
        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _require_bounded(operator, left, right)
            return super().call_binop(context, operator, left, right)

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, Mapping):
                # A key called "items" or "values" is a key, as it is in a plain path.
                return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
            if isinstance(obj, jinja2.Undefined):
                str(obj)  # raises, with the sentence that says what is missing
            return self.undefined(f"there is no {attribute!r} in a single value; values have filters, no methods")

        def getitem(self, obj: Any, argument: Any) -> Any:
            if isinstance(obj, Mapping):
                return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
            if isinstance(argument, str):
                return self.getattr(obj, argument)
            return super().getitem(obj, argument)

    made = Sandbox(undefined=Missing, autoescape=False)
    made.globals.clear()
    for name in _LEFT_OUT:
        del made.filters[name]
    made.filters |= {"concat": _concat, "string": written_in_text, "replace": _replace, "slug": slug}
    return made


class _Generator(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802  the compiler's name
        """Join with ``~`` as YAML writes values (true), not as Python does (True)."""
        self.write("environment.filters['concat']((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def written_in_text(value: Any) -> str:
    """Return a value inside a computed text; an undefined one raises its own error here."""
    if value is None:
        raise TypeError("null cannot be part of a text")
    if isinstance(value, bool | int | float):
        return written(value)
    if isinstance(value, str | jinja2.Undefined):
        return str(value)
    noun = "a mapping" if isinstance(value, Mapping) else "a list"
    raise TypeError(f"{noun} cannot be part of a text; join it, or use tojson")


def _concat(parts: Sequence[Any]) -> str:
    return "".join(map(written_in_text, parts))


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    """Replace a piece of a text by another one."""
    whole = written_in_text(text)
    _require_length(len(whole) + whole.count(old) * len(new))
    return whole.replace(old, new, count)


def _require_bounded(operator: str, left: Any, right: Any) -> None:
    """Refuse a product or power that would be too long, and the old way to format a text."""
    if operator == "%" and isinstance(left, str):
        raise TypeError("% formats no text here; join with ~")
    sized, times = (left, right) if isinstance(left, str | Sequence) else (right, left)
    if operator == "*" and isinstance(sized, str | Sequence) and isinstance(times, int):
        _require_length(len(sized) * max(times, 0))
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _require_bits(max(left.bit_length(), 1) * max(right, 0))
    elif operator == "*" and isinstance(left, int) and isinstance(right, int):
        _require_bits(left.bit_length() + right.bit_length())


def _require_length(length: int) -> None:
    if length > LONGEST:
        raise ValueError(f"the result would have {length} characters or items, more than {LONGEST}")


def _require_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise ValueError(f"the result would have more than {MOST_BITS} bits")
