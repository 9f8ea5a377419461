"""What a document ships decides its digest, and is all that the SDK gets to see (field reports R16, R38)."""

import io
from pathlib import Path

import pytest

from mlops_kit.workspace import content

JOB = "type: command\ncode: src\ncommand: python a.py\nenvironment: azureml:e:1\n"
COMPONENT = "name: c\ntype: command\ncode: src\ncommand: python a.py\nenvironment: azureml:e:1\n"
PIPELINE = """\
type: pipeline
jobs:
  by_file: { type: command, component: ./component.yml }
  in_place: { type: command, code: src, command: echo, environment: "azureml:e:1" }
  tuned:
    type: sweep
    trial: ./component.yml
    search_space: {}
    objective: { goal: maximize, primary_metric: a }
    sampling_algorithm: random
    limits: { max_total_trials: 1 }
  spread:
    type: parallel
    mini_batch_size: "1"
    input_data: ${{inputs.x}}
    inputs: { x: { type: uri_folder, path: "azureml:d:1" } }
    task: { type: run_function, code: src, entry_script: a.py, environment: "azureml:e:1" }
"""
SWEEP = """\
type: sweep
trial: { code: src, command: echo, environment: "azureml:e:1" }
search_space: {}
objective: { goal: maximize, primary_metric: a }
sampling_algorithm: random
limits: { max_total_trials: 1 }
"""


@pytest.fixture
def folder(tmp_path):
    """A repository with a code folder ``src`` of which ``a.py`` and ``sub/b.py`` ship."""
    written = {
        ".git/HEAD": "x",
        ".gitignore": "*.tmp\n",
        "component.yml": COMPONENT,
        "conda.yml": "dependencies: [python=3.11]\n",
        "src/a.py": "1",
        "src/sub/b.py": "1",
        "src/sub/.gitignore": "big/\n",
        "src/left.tmp": "1",
        "src/sub/big/c.bin": "1",
        "shared/d.py": "1",
        "data/d.csv": "1",
    }
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def _digest(folder, text):
    return content.digest(text, folder / "template.yml")


def _changed(folder, text, name, new="2"):
    """Tell whether the digest of a document changes with a file."""
    before = _digest(folder, text)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(new, encoding="utf-8")
    return _digest(folder, text) != before


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (JOB, "src/a.py"),
        (JOB, "src/sub/b.py"),
        (JOB, "src/new.py"),
        (COMPONENT + "additional_includes: [./shared]\n", "shared/d.py"),
        (COMPONENT + "additional_includes: [./shared.zip]\n", "shared/d.py"),
        ("name: e\nimage: python\nconda_file: conda.yml\n", "conda.yml"),
        ("name: e\nbuild: {path: ./src}\n", "src/a.py"),
        ("type: command\ncommand: cat\ninputs: {d: {type: uri_folder, path: data}}\n", "data/d.csv"),
        ("name: d\ntype: uri_file\npath: file:data/d.csv\n", "data/d.csv"),
        (PIPELINE, "src/a.py"),
        (SWEEP, "src/a.py"),
    ],
)
def test_changed_file_that_ships_changes_the_digest(folder, text, name):
    assert _changed(folder, text, name)


def test_changed_component_file_changes_the_digest_of_its_pipeline(folder):
    text = "type: pipeline\njobs: {a: {component: ./component.yml}}\n"

    assert _changed(folder, text, "component.yml", COMPONENT.replace("a.py", "b.py"))
    assert _changed(folder, text, "src/a.py")


@pytest.mark.parametrize(
    "name",
    [
        "src/left.tmp",
        "src/sub/big/c.bin",
        "src/sub/.git/config",
        "src/.DS_Store",
        "src/__pycache__/a.pyc",
        "shared/d.py",
    ],
)
def test_file_that_does_not_ship_leaves_the_digest_alone(folder, name):
    assert not _changed(folder, JOB, name)


@pytest.mark.parametrize("name", ["data/.DS_Store", "data/.git/HEAD", "data/skipped.log"])
def test_data_has_its_digest_by_what_ships_of_it(folder, name):
    (folder / "data" / ".amlignore").write_text("*.log\n", encoding="utf-8")

    assert not _changed(folder, "name: d\ntype: uri_folder\npath: data\n", name)


def test_data_that_the_repository_ignores_counts(folder):
    (folder / ".gitignore").write_text("*.csv\n", encoding="utf-8")

    assert _changed(folder, "name: d\ntype: uri_folder\npath: data\n", "data/d.csv")


def test_comment_in_a_conda_file_changes_nothing(folder):
    text = "name: e\nimage: python\nconda_file: conda.yml\n"

    assert not _changed(folder, text, "conda.yml", "# why\ndependencies:\n  - python=3.11\n")


def test_two_clones_have_one_digest(folder, tmp_path_factory):
    import shutil

    other = tmp_path_factory.mktemp("elsewhere") / "clone"
    shutil.copytree(folder, other)

    assert _digest(folder, PIPELINE) == _digest(other, PIPELINE)


def test_component_that_names_itself_ends(folder):
    (folder / "loop.yml").write_text("type: pipeline\njobs: {a: {component: ./loop.yml}}\n", encoding="utf-8")

    assert _digest(folder, "type: pipeline\njobs: {a: {component: ./loop.yml}}\n")


def _shipped(code):
    root = Path(code)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


SHIPPED = ["a.py", "sub/.gitignore", "sub/b.py"]


def _load(kind, folder, text):
    from azure.ai import ml

    loader = {"job": ml.load_job, "component": ml.load_component}[kind]
    return loader(io.StringIO(text), relative_origin=str(folder / "template.yml"))


def test_every_step_of_a_pipeline_gets_a_folder_of_what_ships(folder):
    job = _load("job", folder, PIPELINE)
    with content.staged(job):
        found = {name: (node.trial if name == "tuned" else node.component).code for name, node in job.jobs.items()}
        shipped = {name: _shipped(code) for name, code in found.items()}
        names = {Path(code).name for code in found.values()}

    assert shipped == dict.fromkeys(("by_file", "in_place", "tuned", "spread"), SHIPPED)
    assert names == {"src"}
    assert not any(Path(code).exists() for code in found.values())


def test_trial_of_a_sweep_gets_a_folder_of_what_ships(folder):
    job = _load("job", folder, SWEEP)
    with content.staged(job):
        assert _shipped(job.trial.code) == SHIPPED


def test_additional_includes_of_a_component_are_what_ships(folder):
    (folder / "shared" / "left.tmp").write_text("1", encoding="utf-8")
    component = _load("component", folder, COMPONENT + "additional_includes: [./shared, ./conda.yml]\n")
    with content.staged(component):
        first, second = component.additional_includes
        assert _shipped(first) == ["d.py"]
        assert second == "./conda.yml"


def test_code_that_is_no_local_folder_stays_as_it_is(folder):
    for code in ("azureml:code:1", "git+https://example.org/x.git"):
        component = _load("component", folder, COMPONENT.replace("src", f"'{code}'"))
        before = component.code
        with content.staged(component):
            assert component.code == before
