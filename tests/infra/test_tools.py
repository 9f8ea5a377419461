"""Programs of others that fail, chatter, echo what they are given, and are missing."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from mlops_kit.errors import OperationFailed, UsageError
from mlops_kit.infra import tools
from mlops_kit.infra.redaction import redactor
from mlops_kit.infra.tools import Tool, ToolFailed

SECRET = "s3cret value, with 'quotes'"


@pytest.fixture
def tool(tmp_path) -> Callable[..., Tool]:
    """Return a tool that runs a Python text."""

    def make(text: str, **variables: str) -> Tool:
        path = tmp_path / "tool"
        path.write_text(f"#!{sys.executable}\nimport json, os, signal, sys, time\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        environ = {"PATH": os.environ["PATH"], **variables}
        return Tool(str(path), tmp_path, environ, redactor(environ))

    return make


@pytest.mark.parametrize("status", [0, 1, 7])
def test_r48_the_status_is_kept(tool, status):
    assert tool(f"sys.exit({status})").run([]).status == status


@pytest.mark.parametrize(("status", "code"), [(1, 1), (7, 7), (2, 1), (3, 1), (5, 1), (130, 1), (255, 1), (-9, 1)])
def test_the_status_becomes_our_exit_code_unless_that_means_something_else(status, code):
    assert ToolFailed("terraform", "plan", status, ["why"]).exit_code == code


def test_a_failure_says_what_the_program_said():
    assert str(ToolFailed("terraform", "plan", 7, ["no", "yes"])) == "terraform plan ended with status 7: no; yes"
    assert str(ToolFailed("terraform", "plan", -9, [])) == "terraform plan ended with signal 9: it said nothing"


def test_r48_secrets_of_the_variables_are_in_no_text_for_a_reader_and_in_what_is_parsed(tool):
    made = tool(
        "print(json.dumps(dict(os.environ))); print(os.environ['DB_PASSWORD'], file=sys.stderr)", DB_PASSWORD=SECRET
    )
    heard: list[str] = []
    finished = made.run([], heard.append)
    for text in (finished.err, repr(finished), repr(made), *finished.last_lines()):
        assert SECRET not in text
    assert finished.err == "[secret]"
    assert heard == [finished.out]
    assert tools.document(finished.out)["DB_PASSWORD"] == SECRET


def test_the_end_of_what_is_parsed_is_shown_without_secrets(tool):
    finished = tool("print('wrong', os.environ['DB_PASSWORD'])", DB_PASSWORD=SECRET).run([])
    assert finished.last_lines() == ["wrong [secret]"]


def test_r48_arguments_arrive_as_they_are_without_a_shell(tool):
    given = ["a b", "$HOME", '"quoted"', "*", "; exit 3", ""]
    assert tools.document(tool("print(json.dumps(sys.argv[1:]))").run(given).out) == given


def test_nothing_can_be_asked(tool):
    assert tool("sys.exit(0 if sys.stdin.read() == '' else 9)").run([]).status == 0


def test_lines_are_heard_as_they_come(tool):
    came: list[float] = []
    tool("print(1, flush=True); time.sleep(0.5); print(2)").run([], lambda _: came.append(time.monotonic()))
    assert came[1] - came[0] > 0.3


def test_files_it_writes_are_for_their_owner_alone(tool, tmp_path):
    tool("open('state', 'w').close()").run([])
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_output_that_is_no_text_is_still_read(tool):
    assert tool(r"sys.stdout.buffer.write(b'\xff\xfe ok\n')").run([]).out.endswith("ok")


def test_much_on_both_streams_does_not_hang(tool):
    finished = tool("for _ in range(20000): print('x' * 50); print('y' * 50, file=sys.stderr)").run([])
    assert len(finished.out) == len(finished.err) == 20000 * 51 - 1


def test_an_interruption_reaches_the_program_once_and_it_may_end_its_work(tool, tmp_path):
    made = tool(
        "def stop(*_):\n    open('ended', 'a').write('x'); time.sleep(0.2); sys.exit(1)\n"
        "signal.signal(signal.SIGINT, stop); print('ready', flush=True); time.sleep(30)"
    )
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(line: str) -> None:
        threading.Timer(0.1, lambda: signal.pthread_kill(main, signal.SIGINT)).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts with & ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            made.run([], interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "ended").read_text(encoding="utf-8") == "x"


def test_a_missing_program_is_one_sentence_with_the_command_that_installs_it():
    for name, command in (("terraform", "install terraform"), ("pulumi", "https://get.pulumi.com | sh")):
        with pytest.raises(UsageError) as error:
            tools.find(name, {"PATH": "/nowhere"})
        assert str(error.value).startswith(f"the program '{name}' is not on PATH: install it with '")
        assert "\n" not in str(error.value)
        assert command in str(error.value) or "brew" in str(error.value)


def test_events_are_the_json_lines_between_warnings_and_colours():
    text = '\x1b[33mWarning: {}\x1b[0m\n{"type": "a"}\nnot json {\n[1]\n{"broken": \n{"type": "b"}'
    assert tools.events(text) == [{"type": "a"}, {"type": "b"}]


def test_r48_a_document_is_found_after_coloured_warnings():
    assert tools.document('\x1b[31mWarning\x1b[0m: old\n{ not json\n{\n  "a": {"value": 1}\n}\n') == {"a": {"value": 1}}
    assert tools.document("{}") == {}


def test_an_answer_without_json_is_a_failure():
    with pytest.raises(OperationFailed, match="no JSON"):
        tools.document("nothing here")
