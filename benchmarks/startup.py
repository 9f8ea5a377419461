"""How long the command line takes to say its help, beside the peers a data scientist knows."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

from rounds import Row, Target, medians, seconds_of

_PEERS = ("kfp", "mlflow")


def measure(rounds: int) -> list[Row]:
    """Return one row per peer that is installed."""
    # Without byte code every import is compiled again, which no user's machine does.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def run(*command: str) -> Callable[[], float]:
        return lambda: seconds_of(*command, env=env)

    contenders = {"mlops-kit --help": run("mlops-kit", "--help"), "bare python": run(sys.executable, "-c", "")}
    contenders |= {peer: run(peer, "--help") for peer in _PEERS if shutil.which(peer)}
    for contender in contenders.values():
        contender()  # warm the file cache and write the byte code once
    figures = {name: 1000 * value for name, value in medians(contenders, rounds).items()}
    ours = figures.pop("mlops-kit --help")
    targets = {"kfp": Target(at_most=100, ratio_at_most=0.25)}
    return [
        Row(
            "`mlops-kit --help`",
            ours,
            f"{peer} --help" if peer in _PEERS else peer,
            figure,
            "ms",
            targets.get(peer, Target()),
        )
        for peer, figure in figures.items()
    ]
