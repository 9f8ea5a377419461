"""Who may import whom, as CONTRIBUTING draws it; and what may not be imported when a module is loaded."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mlops_kit"
# The first name below mlops_kit -> the names it may import. Modules of one name are one unit.
_NODES = {"nodes", "scalars", "documents"}  # one unit in three files: the tree, its scalars, reading and writing
_LAYERS = {"environments", "environment_keys", "layers", "outputs", "overrides"}
_CLOCK = {"cron", "fire_times", "zones"}  # when a schedule fires: asked by checks and by the local control plane
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys(_CLOCK, _CLOCK),
    "errors": set(),
    "files": set(),
    "layered": set(),
    "nearest": set(),
    "slugs": set(),
    "expressions": {"errors", "nearest", "sandbox", *_NODES},
    "sandbox": {"scalars", "slugs"},
    **{name: {"errors", *_NODES} for name in _NODES},
    "ignore_files": {"errors"},
    "packaging": {"errors", "ignore_files"},
    **{name: {"errors", "expressions", "files", "nearest", "schemas", *_NODES, *_LAYERS} for name in _LAYERS},
    "project": {"errors", "nearest"},
    "parameters": {"errors", "expressions", "nearest", *_NODES},
    "render": {"errors", "expressions", "nearest", "parameters", *_NODES, *_LAYERS},
    "requirements": {"errors", *_NODES},
    "checks": {"errors", "nearest", "packaging", "requirements", "schemas", *_CLOCK, *_NODES, *_LAYERS},
    "schemas": {"errors"},
    "workspace": {"errors", "nearest", "packaging", "slugs", *_NODES, *_LAYERS},
    "infra": {"errors", "expressions", "files", "nearest", "checks", *_NODES, *_LAYERS},
    "local": {"errors", "files", "nearest", "__version__", *_CLOCK},
    "testing": {"errors", "local"},
}
HEAVY = {"azure", "mlflow", "pulumi", "sklearn", "pandas"}


def _imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            # 'from mlops_kit import render' imports mlops_kit.render
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "mlops_kit" else (module,)


def _units() -> list[tuple[str, Path]]:
    files = sorted(PACKAGE.rglob("*.py"))
    return [(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path) for path in files]


@pytest.mark.parametrize(
    ("unit", "path"),
    [(unit, path) for unit, path in _units() if unit not in {"cli", "__init__", "__main__"}],
    ids=lambda value: str(value.relative_to(PACKAGE)) if isinstance(value, Path) else value,
)
def test_module_imports_only_what_its_place_allows(unit, path):
    assert unit in ALLOWED, f"{unit} has no row in the import rules: decide what it may import"
    ours = {name.split(".")[1] for name in _imports(path) if name.startswith("mlops_kit.")}
    assert ours - ALLOWED[unit] - {unit} == set()


@pytest.mark.parametrize("path", [path for _, path in _units()], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_at_module_level_only_in_local(path):
    if path.relative_to(PACKAGE).parts[0] in {"local", "workspace", "infra"}:
        return
    assert {name.split(".")[0] for name in _imports(path, top_level=True)} & HEAVY == set()


@pytest.mark.parametrize("path", [path for _, path in _units()], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_workspace_reaches_for_the_sdk_on_the_clients_side(path):
    if path.relative_to(PACKAGE).parts[0] in {"local", "workspace", "testing.py"} or path.name == "generate.py":
        return
    reached = {name for name in _imports(path) if name.startswith(("azure.ai", "azure.identity"))}
    assert reached == set()
