"""Copy inputs into an output; run inside of a job by its path, with the standard library alone.

``copy_data.py MODE OUTPUT INPUT...``: ``merge_with_overwrite`` lets later inputs win over earlier ones and over what is
there, ``fail_if_conflict`` ends with a sentence where a file is there already.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

MODES = ("merge_with_overwrite", "fail_if_conflict")


def main() -> None:
    """Run from the command line."""
    mode, output, *inputs = sys.argv[1:]
    count = 0
    for source in map(Path, inputs):
        for file, target in _pairs(source, Path(output)):
            if mode == "fail_if_conflict" and target.exists():
                sys.exit(f"FileExistsError: {target.name} of {source} is in the output already (fail_if_conflict)")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            count += 1
    sys.stdout.write(f"{count} files copied from {len(inputs)} inputs\n")


def _pairs(source: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each file of an input with the place that it is copied to."""
    if source.is_file():
        yield source, output / source.name if output.is_dir() else output
        return
    for file in sorted(source.rglob("*")):
        if file.is_file():
            yield file, output / file.relative_to(source)


if __name__ == "__main__":
    main()
