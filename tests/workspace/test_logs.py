"""What of the SDK's stream is passed on: the logs, and none of its own words around them."""

import io

import pytest

from mlops_kit.workspace.logs import LogOnly

HEAD = ("RunId: job-1\n", "Web View: https://portal.example/runs/job-1\n")
TAIL = ("\n", "Execution Summary\n", "=================\n", *HEAD, "\n")


def passed_on(*pieces):
    out = io.StringIO()
    log = LogOnly(out, "job-1")
    for piece in pieces:
        log.write(piece)
    return out.getvalue()


def test_words_before_and_after_the_log_are_dropped():
    assert passed_on(*HEAD, "a\n", "b\n", *TAIL) == "a\nb\n\n\n"


@pytest.mark.parametrize(
    "lines",
    [
        ["RunId: mine\n"],
        ["Web View: mine\n"],
        ["Execution Summary\n", "of my own\n"],
        ["=================\n"],
        ["Execution Summary\n", "=================\n", "of my own\n"],
        ["RunId: job-1\n", "said the program\n"],
    ],
)
def test_line_of_a_log_that_looks_like_them_is_kept(lines):
    assert passed_on(*HEAD, *lines, "end\n", *TAIL) == "".join(lines) + "end\n\n\n"


def test_line_in_pieces_is_one_line():
    assert passed_on("a", "b", "\n", "c\nd", "\n") == "ab\nc\nd\n"


def test_frame_directly_after_its_own_first_line_is_dropped():
    assert passed_on("Execution Summary\n", *TAIL[1:]) == "Execution Summary\n\n"
