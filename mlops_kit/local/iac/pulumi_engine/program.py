"""Run a Pulumi program the way Pulumi's Python language host does, with an engine of ours behind it."""

from __future__ import annotations

import asyncio
import os
import runpy
import sys
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
from pulumi.runtime import config, settings, stack

from mlops_kit.local.iac.pulumi_engine.cases import Refused
from mlops_kit.local.iac.pulumi_engine.monitor import Engine, Monitor

_INSTALLED = Path(pulumi.__file__).parent.parent
_STANDARD = Path(os.__file__).parent


class ProgramError(Exception):
    """The program itself failed; the message names the line."""


def run(
    program: Path,
    monitor: Monitor,
    engine: Engine,
    *,
    project: str,
    stack_name: str,
    dry_run: bool,
    values: Mapping[str, str],
    secret_keys: list[str],
    parallel: int,
) -> None:
    """Run a program to its end, including everything it began; ProgramError where it fails by itself."""
    settings.reset_options()  # an up runs the program twice: to foresee, and to do
    settings.configure(
        settings.Settings(
            project=project,
            stack=stack_name,
            monitor=monitor,
            engine=engine,
            dry_run=dry_run,
            organization="organization",  # what the CLI answers for a stack in a file or a blob container
            root_directory=str(program if program.is_dir() else program.parent),
        )
    )
    config.set_all_config(dict(values), secret_keys)

    def main() -> None:
        runpy.run_path(str(program), run_name="__main__")

    loop = asyncio.new_event_loop()
    threads = ThreadPoolExecutor(parallel, thread_name_prefix="pulumi")
    loop.set_default_executor(threads)
    asyncio.set_event_loop(loop)
    os.chdir(program if program.is_dir() else program.parent)
    sys.argv = [str(program)]
    before = set(sys.modules)
    try:
        loop.run_until_complete(stack.run_in_stack(main))
    except Refused:
        return  # the deployment has it among its faults
    except (Exception, SystemExit) as error:
        if _is_refusal(error):
            return
        raise ProgramError(_told(error)) from error
    finally:
        threads.shutdown(wait=True)  # what was sent to ARM when another failed is still answered, and recorded
        loop.close()
        _forget_modules(before)


def _forget_modules(before: set[str]) -> None:
    """Forget the modules of the program, so that the next run of it declares what stands in them again.

    What is installed beside the SDK stays: to import it twice would take as long as everything else.
    """
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and file.endswith(".py") and not file.startswith((str(_INSTALLED), str(_STANDARD))):
            parent, _, own = name.rpartition(".")
            if parent in sys.modules:
                vars(sys.modules[parent]).pop(own, None)  # or `from parent import own` would find the old one
            del sys.modules[name]


def _is_refusal(error: BaseException | None) -> bool:
    """Say whether an error goes back to something that the engine refused: the SDK wraps what it raises."""
    while error is not None:
        if isinstance(error, Refused):
            return True
        error = error.__cause__ or error.__context__
    return False


def _told(error: BaseException) -> str:
    """Return an error in one sentence, with the innermost line of it that is neither a library's nor ours."""
    places = [f"{frame.filename}:{frame.lineno}: " for frame in traceback.extract_tb(error.__traceback__)]
    foreign = (str(_INSTALLED), str(_STANDARD), "<frozen ", str(Path(__file__).parent))
    theirs = [place for place in places if not place.startswith(foreign)]
    return f"{''.join(theirs[-1:])}{type(error).__name__}: {error}"
