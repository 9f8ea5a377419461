"""Uploads of the same new file at the same time, through the real SDK to a real storage account."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mlops_kit.workspace import assets, uploading


def test_first_uploads_of_one_file_at_the_same_time_all_succeed(new_workspace, tmp_path):
    from azure.ai.ml.entities import Data

    ml = new_workspace("mlw-uploads").ml_client()
    file = tmp_path / "table.bin"
    file.write_bytes(os.urandom(8_000_000))
    together = threading.Barrier(8)

    def register(number: int) -> str:
        together.wait()
        return assets.create(ml, "data", Data(name=f"copy-{number}", path=str(file), type="uri_file")).name

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(register, range(8))) == [f"copy-{number}" for number in range(8)]
    assert len({ml.data.get(f"copy-{number}", version="1").path for number in range(8)}) == 1


def test_another_fault_is_raised_at_once():
    calls = []

    def create():
        calls.append(1)
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        uploading.created(create)
    assert calls == [1]
