"""``mlops-kit explain``: the page of each code, and the list of all."""

import json

import pytest

from mlops_kit.checks import codes
from mlops_kit.cli import main


@pytest.fixture
def explain(capsys):
    def run(*arguments):
        """Return the exit code, stdout and stderr."""
        code: object = 0
        try:
            main(["explain", *arguments])
        except SystemExit as leave:
            code = leave.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_the_page_of_a_code_is_printed_whatever_its_case(explain):
    assert explain("mk0405") == (0, codes.explanation("MK0405"), "")


def test_every_code_is_listed_with_its_title(explain):
    _, out, _ = explain()
    assert [line.split("  ", 1)[0] for line in out.splitlines()] == list(codes.codes())
    assert "MK0405  a path holds a wildcard" in out.splitlines()


def test_a_page_and_the_list_come_as_json(explain):
    page = json.loads(explain("MK0405", "-o", "json")[1])
    assert page == {
        "code": "MK0405",
        "title": "a path holds a wildcard",
        "text": codes.explanation("MK0405"),
    }
    assert {"code": "MK0405", "title": "a path holds a wildcard"} in json.loads(explain("-o", "json")[1])


def test_an_unknown_code_offers_the_one_meant(explain):
    assert explain("MK405") == (2, "", "error: no finding has the code 'MK405', did you mean 'MK0405'?\n")
