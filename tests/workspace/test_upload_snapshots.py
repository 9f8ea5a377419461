"""Code is one code version per content, made before the SDK looks for it and found by it (field reports R16, R38)."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mlops_kit import packaging
from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.workspace import snapshots, submit
from mlops_kit.workspace.connect import Target, Workspace
from mlops_kit.workspace.credentials import Credential

JOB = "type: command\ncode: src\ncommand: echo\nenvironment: {image: local}\nexperiment_name: uploads\n"
COMPONENT = "type: command\ncode: src\ncommand: echo\nenvironment: {image: local}\n"
SWEEP = """\
type: sweep
trial: {code: src, command: "echo ${{search_space.x}}", environment: {image: local}}
search_space: {x: {type: choice, values: [1]}}
objective: {goal: maximize, primary_metric: a}
sampling_algorithm: grid
limits: {max_total_trials: 1, max_concurrent_trials: 1}
compute: azureml:cpu-cluster
experiment_name: uploads
"""
PIPELINE = """\
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
experiment_name: uploads
jobs:
  by_file: {type: command, component: ./component.yml}
  in_place: {type: command, code: src, command: echo, environment: {image: local}}
  tuned:
    type: sweep
    trial: ./component.yml
    search_space: {x: {type: choice, values: [1]}}
    objective: {goal: maximize, primary_metric: a}
    sampling_algorithm: grid
    limits: {max_total_trials: 1, max_concurrent_trials: 1}
"""


@pytest.fixture(scope="module")
def local(new_workspace: Any) -> Any:
    return new_workspace("mlw-snapshots")


@pytest.fixture(scope="module")
def ml(local: Any) -> Any:
    return local.ml_client()


@pytest.fixture
def workspace(local, ml):
    name = local.workspace
    target = Target("local", name.subscription, name.group, name.name)
    return Workspace(target, ml, Credential("of the session", ml._credential))


def _folder(root: Path, files: dict[str, str], name: str = "src") -> Path:
    for path, text in files.items():
        (root / name / path).parent.mkdir(parents=True, exist_ok=True)
        (root / name / path).write_text(text, encoding="utf-8")
    return root / name


def _ensure(ml: Any, folder: Path) -> None:
    snapshots.ensure(ml, folder.name, packaging.package(folder))


def _by_sdk(ml: Any, folder: Path) -> Any:
    from azure.ai.ml.entities._assets import Code

    return ml._code.create_or_update(Code(path=str(folder)))


def _found(ml: Any, folder: Path) -> list[Any]:
    """Return the code versions that the workspace has of the content of a folder."""
    scope = {"resource_group_name": ml.resource_group_name, "workspace_name": ml.workspace_name}
    digest = packaging.content_id(packaging.package(folder))
    return list(ml._code._version_operation.list(name="any", hash=digest, hash_version="202208", **scope))


def _stored(ml: Any, folder: Path) -> list[Any]:
    """Return the blobs of the one code version of the content of a folder."""
    from azure.storage.blob import ContainerClient

    [code] = _found(ml, folder)
    store = ml.datastores.get("workspaceblobstore", include_secrets=True)
    address = f"https://{store.account_name}.blob.{store.endpoint}"
    container = code.properties.code_uri.split("/")[3]
    return list(ContainerClient(address, container, store.credentials.account_key).list_blobs(include="metadata"))


def _downloaded(ml: Any, code: Any, target: Path) -> dict[str, str]:
    name, _, version = code.id.split("/codes/")[1].partition("/versions/")
    ml._code.download(name, version, download_path=target)
    return {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()}


def test_the_sdk_finds_what_was_uploaded_and_uploads_nothing(ml, tmp_path):
    files = {"a.py": "print('found')\n", "pkg/__init__.py": "", "pkg/Größe #1.txt": "x", "B.py": "b"}
    folder = _folder(tmp_path, files)
    _ensure(ml, folder)
    [made] = _found(ml, folder)

    assert _by_sdk(ml, folder).id == made.id
    assert [each.id for each in _found(ml, folder)] == [made.id]
    assert _downloaded(ml, made, tmp_path / "back") == files


def test_what_the_sdk_has_uploaded_is_not_uploaded_again(ml, tmp_path):
    folder = _folder(tmp_path, {"a.py": "print('by the SDK')\n"})
    before = _by_sdk(ml, folder)
    _ensure(ml, folder)

    assert [each.id for each in _found(ml, folder)] == [before.id]


def test_confirmation_is_the_one_the_sdk_writes(ml, tmp_path):
    ours = _folder(tmp_path / "ours", {"a.py": "print('our mark')\n", "b.py": "b"})
    theirs = _folder(tmp_path / "theirs", {"a.py": "print('their mark')\n", "b.py": "b"})
    _ensure(ml, ours)
    _by_sdk(ml, theirs)

    def marks(folder: Path) -> dict[str, list[str]]:
        return {blob.name: sorted(blob.metadata or {}) for blob in _stored(ml, folder)}

    assert marks(ours) == marks(theirs) == {"src/a.py": ["name", "upload_status", "version"], "src/b.py": []}


def test_eight_uploads_of_one_content_at_once_make_one_code_version(ml, tmp_path):
    folder = _folder(tmp_path, {f"f{number}.py": f"print({number})\n" for number in range(20)})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: _ensure(ml, folder), range(8)))

    assert len(_stored(ml, folder)) == 20


def test_same_content_in_folders_of_other_names_at_once_is_one_code_version(ml, tmp_path):
    folders = [_folder(tmp_path, {"a.py": "print('one of four')\n"}, name) for name in ("one", "two", "three", "four")]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda folder: _ensure(ml, folder), folders))

    [made] = _found(ml, folders[0])
    assert _downloaded(ml, made, tmp_path / "back") == {"a.py": "print('one of four')\n"}


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


KILLED = """
import sys
from pathlib import Path
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
from mlops_kit import packaging
from mlops_kit.workspace import snapshots
folder, *names = sys.argv[1:]
ml = MLClient(DefaultAzureCredential(), *names)
packaged = packaging.package(Path(folder))
ml.workspaces.get(names[2])
print("now", flush=True)
snapshots.ensure(ml, Path(folder).name, packaged)
"""


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_upload_that_was_killed_leaves_no_code_version_of_a_part_and_is_finished_later(local, ml, tmp_path, seconds):
    files = {f"f{number}.py": f"print({number}, {seconds})\n" for number in range(150)}
    folder = _folder(tmp_path, files)
    name = local.workspace
    arguments = [sys.executable, "-c", KILLED, str(folder), name.subscription, name.group, name.name]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not _found(ml, folder) or len(_stored(ml, folder)) == len(files)  # it may have been quicker than the signal

    _ensure(ml, folder)

    stored = {blob.name: bytes(blob.content_settings.content_md5) for blob in _stored(ml, folder)}
    assert stored == {f"src/{path}": _md5(text) for path, text in files.items()}


def test_file_that_changes_during_the_upload_makes_no_code_version(ml, tmp_path):
    folder = _folder(tmp_path, {"a.py": "0000000", "b.py": "b"})
    packaged = packaging.package(folder)
    over = threading.Event()

    def write() -> None:
        for number in itertools.takewhile(lambda _: not over.wait(0.001), itertools.count()):
            (folder / "a.py").write_text(f"{number:07}", encoding="utf-8")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(OperationFailed, match="has changed while it was uploaded"):
            snapshots.ensure(ml, "src", packaged)
    finally:
        over.set()
        writer.join()


def _loaded(folder: Path, text: str) -> submit.Loaded:
    [loaded] = submit.load([submit.Item("job", text, text, folder / "job.yml")])
    return loaded


def test_job_gets_the_code_version_of_what_ships(workspace, ml, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.tmp\n", encoding="utf-8")
    folder = _folder(tmp_path, {"a.py": "print('in a job')\n", "left.tmp": "x", ".amlignore": "b.py\n", "b.py": "b"})

    made = submit.create_job(workspace, _loaded(tmp_path, JOB), None)

    [code] = _found(ml, folder)
    assert workspace.ml.jobs.get(made.name).code == code.id
    assert _downloaded(ml, code, tmp_path / "back") == {"a.py": "print('in a job')\n"}


@pytest.mark.parametrize("text", [JOB, SWEEP, PIPELINE], ids=["command", "sweep", "pipeline"])
def test_every_kind_of_job_and_step_gets_the_code_version(workspace, ml, tmp_path, text):
    folder = _folder(tmp_path, {"a.py": f"print({text.partition(chr(10))[0]!r})\n"})
    (tmp_path / "component.yml").write_text(COMPONENT, encoding="utf-8")

    submit.create_job(workspace, _loaded(tmp_path, text), None)

    [code] = _found(ml, folder)
    assert code.id.endswith(f"/codes/{snapshots.name_of(packaging.content_id(packaging.package(folder)))}/versions/1")


def test_registered_component_gets_the_code_version(workspace, ml, tmp_path):
    folder = _folder(tmp_path, {"a.py": "print('of a component')\n"})
    text = f"name: uploading\n{COMPONENT}"
    loaded = submit.load([submit.Item("component", text, text, tmp_path / "component.yml")])

    first = list(submit.register(workspace, loaded, "uploads"))
    again = list(submit.register(workspace, loaded, "uploads"))

    [code] = _found(ml, folder)
    assert ml.components.get("uploading", first[0].version).code == code.id
    assert [each.created for each in (*first, *again)] == [True, False]


def test_code_with_additional_includes_is_put_together_by_the_sdk_from_what_ships(workspace, ml, tmp_path):
    _folder(tmp_path, {"a.py": "print('including')\n"})
    _folder(tmp_path, {"b.py": "print('included')\n", "c.tmp": "x", ".gitignore": "*.tmp\n"}, "shared")
    text = f"name: including\n{COMPONENT}additional_includes: [./shared]\n"
    loaded = submit.load([submit.Item("component", text, text, tmp_path / "component.yml")])

    [made] = submit.register(workspace, loaded, "uploads")

    name, _, version = (
        str(ml.components.get("including", made.version).code).split("/codes/")[1].partition("/versions/")
    )
    ml._code.download(name, version, download_path=tmp_path / "back")
    shipped = {path.relative_to(tmp_path / "back").as_posix() for path in (tmp_path / "back").rglob("*.*")}
    assert shipped == {"a.py", "shared/b.py"}


def test_eight_submissions_at_once_make_one_code_version(workspace, ml, tmp_path):
    folder = _folder(tmp_path, {f"f{number}.py": f"print({number}, 'of a job')\n" for number in range(20)})

    with ThreadPoolExecutor(8) as threads:
        submitted = list(threads.map(lambda _: submit.create_job(workspace, _loaded(tmp_path, JOB), None), range(8)))

    codes = {workspace.ml.jobs.get(job.name).code for job in submitted}
    assert len(codes) == len(_found(ml, folder)) == 1


def test_r16_code_over_the_limit_is_refused_before_anything_is_sent(workspace, ml, tmp_path, monkeypatch):
    folder = _folder(tmp_path, {f"f{number}.py": f"print({number}, 'too many')\n" for number in range(4)})
    monkeypatch.setenv("MLOPS_KIT_CODE_FILES", "3")

    with pytest.raises(
        UsageError, match=r"the code folder .*src ships 4 files .* the limit is 3 files .* largest are f0"
    ):
        submit.create_job(workspace, _loaded(tmp_path, JOB), None)
    assert _found(ml, folder) == []
