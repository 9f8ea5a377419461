"""Scripts that the service calls: ``init()`` and ``run(data)``, found without running anything of them."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.checks.findings import Finding, brief, did_you_mean, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.files import Files
    from mlops_kit.documents import Scalar

Function = ast.FunctionDef | ast.AsyncFunctionDef
MOST_BYTES = 2_000_000  # a script of more is data


@dataclass(frozen=True, slots=True)
class Script:
    """What the body of a script defines: functions, and the names that it gets in other ways.

    ``is_open`` says that it imports all names of another module, so that no name is surely missing.
    """

    functions: dict[str, Function]
    others: frozenset[str]
    is_open: bool


def check(node: Scalar, path: str, files: Files, *, most: int = 1, needs_result: bool = False) -> list[Finding]:
    """Return why the service cannot call a script that ``node`` names.

    ``run`` is given the data, and up to ``most`` arguments where it takes them. ``needs_result`` says that what it
    returns is counted: the service fails where it is None.
    """
    if not path.endswith(".py") or files.kind(path) != "file" or files.is_outside(path):
        return []  # in another language, or reported as a path
    try:
        script = read(path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        return [error("MK1003", node.place, f"`{brief(node.text)}` is no Python: {_said(fault)}")]
    return [] if script is None else [*_absent(node, script), *_uncallable(node, script, most, needs_result)]


def read(path: str) -> Script | None:
    """Return what a script defines, None where it is too large to be one.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It is no Python.
    """
    content = Path(path).read_bytes()
    if len(content) > MOST_BYTES:
        return None
    functions: dict[str, Function] = {}
    others: set[str] = set()
    with warnings.catch_warnings(action="ignore"):  # of escapes that Python will not know some day
        tree = ast.parse(content)
    for statement in _statements(tree.body):
        if isinstance(statement, Function):
            functions[statement.name] = statement
        else:
            others.update(_names(statement))
    return Script(functions, frozenset(others), "*" in others)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those of its conditions and attempts included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While):
            inner = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)]
            handlers = statement.handlers if isinstance(statement, ast.Try) else []
            yield from _statements([*inner, *(part for handler in handlers for part in handler.body)])


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module sets."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in statement.names)
    elif isinstance(statement, ast.ClassDef):
        yield statement.name
    else:
        stored = (part for part in ast.walk(statement) if isinstance(part, ast.Name))
        yield from (part.id for part in stored if isinstance(part.ctx, ast.Store))


def _absent(node: Scalar, script: Script) -> Iterator[Finding]:
    """Report the functions that the service calls and the script has not."""
    for name, call in () if script.is_open else (("init", "init()"), ("run", "run(data)")):
        if name not in script.functions and name not in script.others:
            hint = did_you_mean(name, script.functions) or f"define `{call}`, which the service calls"
            yield error("MK1001", node.place, f"`{brief(node.text)}` has no function `{name}`", hint)


def _uncallable(node: Scalar, script: Script, most: int, needs_result: bool) -> Iterator[Finding]:
    """Report functions that cannot be called the way the service does; decorators may change that."""
    init, run = script.functions.get("init"), script.functions.get("run")
    if init and not init.decorator_list and not _takes(init, 0):
        yield _call(node, init, "init()")
    if run and not run.decorator_list and not any(_takes(run, count) for count in range(1, most + 1)):
        yield _call(node, run, "run(data)")
    if run and needs_result and not run.decorator_list and not _returns(run):
        message = f"`run` in line {run.lineno} of `{brief(node.text)}` returns nothing"
        yield error("MK1002", node.place, message, "return a list or a DataFrame with one item for each that was done")


def _call(node: Scalar, function: Function, call: str) -> Finding:
    message = f"`{function.name}` in line {function.lineno} of `{brief(node.text)}` cannot be called as `{call}`"
    return error("MK1002", node.place, message, "the service gives it nothing else")


def _takes(function: Function, count: int) -> bool:
    """Return whether a function can be called with a number of arguments by their position."""
    spec = function.args
    positional = len(spec.posonlyargs) + len(spec.args)
    needed = positional - len(spec.defaults)
    named = sum(default is None for default in spec.kw_defaults)
    return needed <= count and (positional >= count or spec.vararg is not None) and not named


def _returns(function: Function) -> bool:
    """Return whether a function gives something back, or never comes back."""
    own = list(_own(function.body))
    gives = any(isinstance(part, ast.Return) and part.value is not None for part in own)
    return gives or any(isinstance(part, ast.Yield | ast.YieldFrom | ast.Raise) for part in own)


def _own(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what stands in a function, without the functions in it."""
    pending: list[ast.AST] = list(nodes)
    while pending:
        part = pending.pop()
        yield part
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(part)


def _said(fault: BaseException) -> str:
    """Return what the parser says, with the line."""
    if isinstance(fault, SyntaxError):
        return f"{fault.msg} in line {fault.lineno}"
    return str(fault) or "it is nested too deeply"
