"""``mlops-kit schema --editor vscode``: which schema an editor holds each file of the project to, by its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlops_kit import schemas
from mlops_kit.checks import kinds
from mlops_kit.errors import UsageError
from mlops_kit.files import write_whole
from mlops_kit.project import Project
from mlops_kit.schemas import editors

Schema = dict[str, Any]
FOLDER = ".mlops_kit/editor"  # beside the state, which git ignores: whoever calls the command has them
SETTINGS = ".vscode/settings.json"
TAGS = ["!replace mapping", "!replace sequence", "!append sequence", "!delete scalar"]  # of environment files
# A file that is told by its keys -> what it is instead of the family of its folder.
CONDA: Schema = {"required": ["dependencies"], "not": {"required": ["$schema"]}}
INSTEAD = {
    "job_schedule": (("create_monitor", "monitor_schedule"), ("import_data", "data_import_schedule")),
    "data": (("source", "data_import"),),
}


def files() -> dict[str, Schema]:
    """Return every schema that the settings need, by its path below the folder of schemas."""
    families = {family: family_schema(family) for family in dict.fromkeys(kinds.FOLDERS.values())}
    named = sorted({kind for family in families for kind in _kinds(family)} & set(schemas.kinds()))
    found = {f"{family}.json": body for family, body in families.items()}
    found |= {f"kinds/{kind}.json": editors.schema(kind) for kind in named}
    return {**found, "environment.json": editors.schema("environment")}


def family_schema(family: str) -> Schema:
    """Return the schema of a folder: of what the file's type or keys say, and of nothing for a conda file."""
    body = _chosen(family)
    for key, other in INSTEAD.get(family, ()):
        body = {"if": {"required": [key]}, "then": _chosen(other), "else": body}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "if": CONDA, "then": {}, "else": body}


def _chosen(family: str) -> Schema:
    """Return the schema of a family: the kind that its key declares, else the usual one."""
    chosen = kinds.FAMILIES[family]
    usual = _reference(chosen.usual) if chosen.usual else {}
    if not chosen.kinds:
        return usual
    # A word of another family is for its own schema, which this folder does not have; any other word is wrong.
    known = {"properties": {chosen.key: {"anyOf": [_word(*chosen.kinds, *kinds.TYPES), editors.EXPRESSION]}}}
    body: Schema = {"if": {"required": [chosen.key]}, "then": known, "else": usual}
    for word, kind in chosen.kinds.items():
        declared = {"properties": {chosen.key: _word(word)}, "required": [chosen.key]}
        body = {"if": declared, "then": _reference(kind), "else": body}
    return body


def _word(*words: str) -> Schema:
    return {"type": "string", "pattern": editors.any_case(list(words))}


def _reference(kind: str) -> Schema:
    return _chosen(kind) if kind in kinds.FAMILIES and kind not in schemas.kinds() else {"$ref": f"kinds/{kind}.json"}


def _kinds(family: str) -> set[str]:
    """Return the kinds that the schema of a family refers to."""
    others = [other for _, other in INSTEAD.get(family, ())]
    chosen = kinds.FAMILIES[family]
    named = {*chosen.kinds.values(), *([chosen.usual] if chosen.usual else [])}
    inner = [kind for kind in named if kind in kinds.FAMILIES and kind not in schemas.kinds()]
    return named.union(*(_kinds(each) for each in (*others, *inner)))


def settings() -> dict[str, Any]:
    """Return the settings of the YAML extension: schemas by folder, and the tags of environment files."""
    folders: dict[str, list[str]] = {}
    for folder, family in kinds.FOLDERS.items():
        patterns = [f"templates/{folder}/*.{suffix}" for suffix in ("yml", "yaml")]
        folders.setdefault(f"./{FOLDER}/{family}.json", []).extend(patterns)
    return {
        "yaml.schemas": {f"./{FOLDER}/environment.json": ["environments/*.yaml"], **folders},
        "yaml.customTags": TAGS,
    }


def write(project: Project) -> list[Path]:
    """Write the schemas and the settings of VS Code into a project; return what was written, the settings last.

    Other settings stay.

    Raises:
        UsageError: The settings are no plain JSON, so that they cannot be written again as they were.
    """
    path = project.folder / SETTINGS
    merged = _merged(path)
    written = []
    for name, body in files().items():
        target = project.folder / FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, json.dumps(body, separators=(",", ":"), sort_keys=True) + "\n")
        written.append(target)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, json.dumps(merged, indent=2, ensure_ascii=False) + "\n")
    return [*written, path]


def _merged(path: Path) -> dict[str, Any]:
    """Return the settings that are there, with ours in the place of those that an earlier call made."""
    try:
        there = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError:
        raise UsageError(
            f"{SETTINGS} holds comments or is no JSON, and is left as it is; add: {json.dumps(settings())}"
        ) from None
    ours = settings()
    others = {key: value for key, value in there.get("yaml.schemas", {}).items() if not key.startswith(f"./{FOLDER}/")}
    tags = [*there.get("yaml.customTags", []), *TAGS]
    return {**there, "yaml.schemas": {**others, **ours["yaml.schemas"]}, "yaml.customTags": list(dict.fromkeys(tags))}
