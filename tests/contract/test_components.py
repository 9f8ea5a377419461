"""Components through the real SDK: completed specs, versions, labels, code, immutability, archiving."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

SPEC = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: {name}
display_name: Train
description: trains
tags: {{owner: us}}
inputs:
  data: {{type: uri_folder, description: a folder}}
  rate: {{type: number, default: 0.1, optional: true}}
outputs:
  model: {{type: uri_folder}}
command: echo ${{{{inputs.data}}}} $[[${{{{inputs.rate}}}}]] ${{{{outputs.model}}}}
environment: azureml:AzureML-sklearn-1.5@latest
"""


def _component(folder: Path, name: str, extra: str = "", **override: Any) -> Any:
    from azure.ai.ml import load_component

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "component.yml"
    path.write_text(SPEC.format(name=name) + extra)
    return load_component(path, params_override=[{key: value} for key, value in override.items()])


def _register(ml: Any, folder: Path, name: str, extra: str = "", **override: Any) -> Any:
    return ml.components.create_or_update(_component(folder, name, extra, **override))


def test_a_spec_comes_back_completed(ml: Any, tmp_path: Path) -> None:
    _register(ml, tmp_path, "completed", version="1")
    got = ml.components.get("completed", "1")._to_dict()

    assert got["inputs"]["data"] == {"type": "uri_folder", "description": "a folder", "optional": False}
    assert got["inputs"]["rate"] == {"type": "number", "default": "0.1", "optional": True}
    assert got["outputs"] == {"model": {"type": "uri_folder"}}
    assert got["resources"] == {"instance_count": 1}
    assert got["command"] == "echo ${{inputs.data}} $[[${{inputs.rate}}]] ${{outputs.model}}"
    assert (got["display_name"], got["description"], got["tags"]) == ("Train", "trains", {"owner": "us"})
    assert got["version"] == "1"


def test_a_curated_environment_is_written_out_in_full(ml: Any, tmp_path: Path) -> None:
    created = _register(ml, tmp_path, "expanded", version="1")

    expanded = r"azureml://registries/azureml/environments/AzureML-sklearn-1\.5/versions/\d+"
    assert re.fullmatch(expanded, created.environment)


PARALLEL = """\
$schema: http://azureml/sdk-2-0/ParallelComponent.json
type: parallel
name: {name}
version: "1"
inputs: {{rows: {{type: uri_folder}}}}
outputs: {{scores: {{type: uri_file}}}}
input_data: ${{{{inputs.rows}}}}
mini_batch_size: "10"
task:
  type: run_function
  code: src
  entry_script: score.py
  append_row_to: ${{{{outputs.scores}}}}
  environment: azureml:AzureML-sklearn-1.5@latest
"""


def test_the_environment_of_a_parallel_task_is_written_out_in_full(ml: Any, tmp_path: Path) -> None:
    from azure.ai.ml import load_component

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "score.py").write_text("def run(batch): return batch\n")
    (tmp_path / "parallel.yml").write_text(PARALLEL.format(name="scored"))
    created = ml.components.create_or_update(load_component(tmp_path / "parallel.yml"))

    expanded = r"azureml://registries/azureml/environments/AzureML-sklearn-1\.5/versions/\d+"
    assert re.fullmatch(expanded, created.task.environment)


def test_a_pipeline_component_is_not_deterministic_unless_it_says_so(ml: Any, tmp_path: Path) -> None:
    from azure.ai.ml import load_component

    text = "type: pipeline\nname: {}\nversion: '1'\njobs: {{}}\n"
    (tmp_path / "silent.yml").write_text(text.format("silent"))
    (tmp_path / "stated.yml").write_text(text.format("stated") + "is_deterministic: true\n")

    found = {
        name: ml.components.create_or_update(load_component(tmp_path / f"{name}.yml")).is_deterministic
        for name in ("silent", "stated")
    }
    assert found == {"silent": False, "stated": True}


def test_counts_of_a_distribution_come_back_as_text(ml: Any, tmp_path: Path) -> None:
    extra = "distribution: {type: pytorch, process_count_per_instance: 4}\nresources: {instance_count: 2}\n"
    created = _register(ml, tmp_path, "distributed", extra, version="1")

    assert created.distribution.process_count_per_instance == "4"
    assert created.resources.instance_count == 2


def test_the_first_version_is_one_and_the_next_a_moment(ml: Any, tmp_path: Path) -> None:
    component = _component(tmp_path, "counted")
    first = ml.components.create_or_update(component)
    component.description = "changed"
    second = ml.components.create_or_update(component)

    assert first.version == "1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{7}", second.version)
    assert ml.components.get("counted", label="latest").version == second.version


def test_the_default_is_the_latest_version_under_its_label(ml: Any, tmp_path: Path) -> None:
    for version in ("foo", "bar"):
        _register(ml, tmp_path / version, "labelled", version=version)

    for default in (ml.components.get("labelled"), ml.components.get("labelled", label="default")):
        assert default.version == "bar"
        assert default.id.endswith("/components/labelled/labels/default")
    assert ml.components.get("labelled", label="latest").id.endswith("/components/labelled/versions/bar")


def test_description_and_display_name_can_be_edited(ml: Any, tmp_path: Path) -> None:
    _register(ml, tmp_path / "a", "edited", version="1")
    _register(ml, tmp_path / "b", "edited", version="1", description="new", display_name="New")

    got = ml.components.get("edited", "1")
    assert (got.description, got.display_name) == ("new", "New")
    assert [one.version for one in ml.components.list(name="edited")] == ["1"]


def test_a_version_keeps_its_command(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    _register(ml, tmp_path / "a", "kept", version="1")
    with pytest.raises(ResourceExistsError, match="component 'kept' exists with another command"):
        _register(ml, tmp_path / "b", "kept", version="1", command="echo other")


def test_a_version_keeps_its_code(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    for name in ("a", "b"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "train.py").write_text(f"print('{name}')\n")
    created = _register(ml, tmp_path / "a", "coded", "code: ./src\n", version="1")

    assert re.search(r"/codes/[0-9a-f-]+/versions/1$", created.code)
    with pytest.raises(ResourceExistsError, match="another code"):
        _register(ml, tmp_path / "b", "coded", "code: ./src\n", version="1")


def test_an_unchanged_component_is_skipped_when_asked_to(ml: Any, tmp_path: Path) -> None:
    first = _register(ml, tmp_path / "a", "skipped", version="1")
    again = ml.components.create_or_update(_component(tmp_path / "b", "skipped", version="2"), skip_if_no_change=True)

    assert again.version == "1"
    assert again._get_component_hash(["creation_context"]) == first._get_component_hash(["creation_context"])


def test_an_anonymous_component_is_reused(ml: Any, tmp_path: Path) -> None:
    made = [
        ml.components.create_or_update(_component(tmp_path / str(n), f"anonymous_{n}"), is_anonymous=True)
        for n in range(2)
    ]

    assert "/components/azureml_anonymous/versions/" in made[0].id
    assert made[0].id == made[1].id
    assert "azureml_anonymous" not in {one.name for one in ml.components.list()}


def test_archiving_hides_a_version_and_then_the_component(ml: Any, tmp_path: Path) -> None:
    for version in ("1", "2"):
        _register(ml, tmp_path / version, "archived", version=version)
    ml.components.archive("archived", version="1")
    assert [one.version for one in ml.components.list(name="archived")] == ["2"]
    ml.components.restore("archived", version="1")
    assert {one.version for one in ml.components.list(name="archived")} == {"1", "2"}

    ml.components.archive("archived")
    assert "archived" not in {one.name for one in ml.components.list()}
    ml.components.restore("archived")
    assert "archived" in {one.name for one in ml.components.list()}


def test_a_component_downloads_with_its_code(ml: Any, tmp_path: Path) -> None:
    (tmp_path / "source" / "src").mkdir(parents=True)
    (tmp_path / "source" / "src" / "train.py").write_text("print('download')\n")
    environment = "environment: {image: 'python:3.11', conda_file: {dependencies: [python=3.11]}}\ncode: ./src\n"
    spec = SPEC.format(name="downloaded").replace("environment: azureml:AzureML-sklearn-1.5@latest\n", environment)
    (tmp_path / "source" / "component.yml").write_text(spec)
    from azure.ai.ml import load_component

    ml.components.create_or_update(load_component(tmp_path / "source" / "component.yml"))
    ml.components.download("downloaded", version="1", download_path=tmp_path / "back")

    assert (tmp_path / "back" / "code" / "train.py").read_text() == "print('download')\n"
    assert "command: echo" in (tmp_path / "back" / "component_spec.yaml").read_text()


def test_a_missing_component_is_not_found(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="no-such-component"):
        ml.components.get("no-such-component", "1")
    with pytest.raises(ResourceNotFoundError, match="no-such-component"):
        ml.components.get("no-such-component")
