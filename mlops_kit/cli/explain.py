"""``mlops-kit explain``: what a code of ``validate`` stands for, with a wrong and a right file."""

from __future__ import annotations

import click

from mlops_kit.checks import codes
from mlops_kit.cli import options
from mlops_kit.errors import UsageError
from mlops_kit.nearest import did_you_mean


@click.command()
@click.argument("code", required=False)
@options.output_option
def command(code: str | None, output: str) -> None:
    """Explain a CODE such as MK0102: what is wrong, why it matters, a wrong file and a right one.

    Without CODE, list the codes with what they stand for. The text of an explanation is Markdown.
    """
    if code is None:
        rows = [{"code": each, "title": codes.title(each)} for each in codes.codes()]
        options.print_result(rows, output, lambda found: options.table([tuple(row.values()) for row in found]))
        return
    known = _known(code)
    result = {"code": known, "title": codes.title(known), "text": codes.explanation(known)}
    options.print_result(result, output, lambda found: found["text"].rstrip("\n"))


def _known(code: str) -> str:
    """Return the code that is meant, whatever its case."""
    known = codes.codes()
    if code.upper() not in known:
        tail = did_you_mean(code, known) or "; 'mlops-kit explain' lists the codes"
        raise UsageError(f"no finding has the code {code!r}{tail}")
    return code.upper()
