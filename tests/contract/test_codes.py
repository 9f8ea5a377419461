"""Code assets through the real SDK: content hash, upload, download, immutability."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest


def _folder(root: Path, text: str, name: str = "src") -> Path:
    folder = root / name
    (folder / "nested").mkdir(parents=True)
    (folder / "train.py").write_text(text)
    (folder / "nested" / "more.py").write_text("x = 1\n")
    return folder


def _code(path: Path, name: str) -> Any:
    from azure.ai.ml.entities._assets import Code

    return Code(name=name, version="1", path=str(path))


def _create(ml: Any, path: Path, name: str) -> Any:
    return ml._code.create_or_update(_code(path, name))


def test_a_code_snapshot_downloads_with_the_bytes_that_were_uploaded(ml: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path, "print('snapshot')\n")
    created = _create(ml, folder, "code-download")

    ml._code.download(created.name, created.version, download_path=tmp_path / "back")

    assert (tmp_path / "back" / "train.py").read_text() == "print('snapshot')\n"
    assert (tmp_path / "back" / "nested" / "more.py").read_text() == "x = 1\n"


def test_a_code_address_has_the_suffix_of_public_azure(ml: Any, tmp_path: Path) -> None:
    created = _create(ml, _folder(tmp_path, "print('address')\n"), "code-address")
    got = ml._code.get(created.name, created.version)

    assert got.path.startswith("https://devstoreaccount1.blob.core.windows.net/")
    assert got.path.endswith("/src")
    assert got.id.endswith(f"/codes/{created.name}/versions/1")


def test_the_same_content_under_another_name_is_the_same_code(ml: Any, tmp_path: Path) -> None:
    first = _create(ml, _folder(tmp_path / "a", "print('same')\n"), "code-first")
    second = _create(ml, _folder(tmp_path / "b", "print('same')\n"), "code-second")

    assert first.id == second.id


def test_other_content_is_another_code(ml: Any, tmp_path: Path) -> None:
    first = _create(ml, _folder(tmp_path / "a", "print('one')\n"), "code-one")
    second = _create(ml, _folder(tmp_path / "b", "print('two')\n"), "code-two")

    assert first.id != second.id
    assert first.path != second.path


def test_eight_uploads_of_one_content_at_once_make_one_code_version(ml: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path, "print('eight')\n")

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda number: _create(ml, folder, f"code-eight-{number}").id, range(8)))

    assert len(set(ids)) == 1
    found = ml._code._version_operation.list(
        resource_group_name=ml.resource_group_name,
        workspace_name=ml.workspace_name,
        name="whatever",
        hash=_code(folder, "x")._hash_sha256,
        hash_version="202208",
    )
    assert [one.id for one in found] == [ids[0]]


def test_the_same_pending_upload_has_the_same_place(ml: Any) -> None:
    def place(**wanted: str) -> str:
        answer = ml._code._version_operation.create_or_get_start_pending_upload(
            resource_group_name=ml.resource_group_name,
            workspace_name=ml.workspace_name,
            name="code-pending",
            version="1",
            body={"pendingUploadType": "TemporaryBlobReference", **wanted},
        )
        return str(answer.blob_reference_for_consumption.blob_uri)

    first = place(pendingUploadId="7b5d7a80-2b0f-4a8e-9d3c-1f4f4f0c2b11")
    assert place(pendingUploadId="7b5d7a80-2b0f-4a8e-9d3c-1f4f4f0c2b11") == first
    assert len({first, place(pendingUploadId="0c2f0a6e-93a4-4c60-a0ce-0d5c1e5d4a10"), place(), place()}) == 4


def test_a_single_file_is_code_too(ml: Any, tmp_path: Path) -> None:
    (tmp_path / "only.py").write_text("print('only')\n")
    created = _create(ml, tmp_path / "only.py", "code-file")

    ml._code.download(created.name, created.version, download_path=tmp_path / "back")

    assert (tmp_path / "back" / "only.py").read_text() == "print('only')\n"


def test_a_code_version_cannot_get_other_content(ml: Any, tmp_path: Path) -> None:
    from azure.core.exceptions import ResourceExistsError

    _create(ml, _folder(tmp_path / "a", "print('kept')\n"), "code-kept")
    with pytest.raises(ResourceExistsError, match=r"code asset 'code-kept' exists with another codeUri"):
        _create(ml, _folder(tmp_path / "b", "print('changed')\n"), "code-kept")


def test_ignored_files_are_not_part_of_the_code(ml: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path, "print('ignore')\n")
    (folder / "secret.txt").write_text("do not ship")
    (folder / ".amlignore").write_text("secret.txt\n")
    created = _create(ml, folder, "code-ignore")

    ml._code.download(created.name, created.version, download_path=tmp_path / "back")

    assert not (tmp_path / "back" / "secret.txt").exists()
    assert (tmp_path / "back" / "train.py").exists()


def test_a_missing_code_version_is_not_found(ml: Any) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="no-such-code"):
        ml._code.get("no-such-code", "1")
