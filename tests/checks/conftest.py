"""A project folder to put files in, and a check of one file as lines."""

import textwrap
from pathlib import Path

import pytest

from mlops_kit import checks, documents


class Folder:
    """A project folder; ``found`` writes a file and returns what is wrong with it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, name: str, text: str = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def found(self, text: str, name: str = "jobs/job.yml", *, protected: bool = False) -> list[str]:
        """Return each finding without the path of the file: ``3:1 error[MK0102]: ...``."""
        path = self.put(name, text)
        files = checks.Files(self.root)
        lines: list[str] = []
        for document in documents.load(path):
            lines += [str(finding) for finding in checks.check(document.root, path, files, protected=protected)]
        return [line.removeprefix(f"{path}:") for line in lines]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
