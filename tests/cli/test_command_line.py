"""The command line as a whole: how a wrong call is answered, and which forms a result has."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from mlops_kit.cli import cli

# Its output is that of the program it runs.
PROGRAMS = {"mlops-kit local exec"}


@pytest.fixture
def run(called, tmp_path, monkeypatch):
    """Return a function that runs a command in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_KIT_LOCAL_STATE", raising=False)  # of the control plane that other tests share
    return called


def _commands(command, path):
    """Yield every command that does something, with what is typed to call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command, info_name=path)
    for name in command.list_commands(context):
        yield from _commands(command.get_command(context, name), f"{path} {name}")


COMMANDS = dict(_commands(cli, "mlops-kit"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["valdate"], "no such command 'valdate', did you mean validate? (see 'mlops-kit --help')"),
        (["foo"], "no such command 'foo' (see 'mlops-kit --help')"),
        (["job", "lst"], "no such command 'lst', did you mean list? (see 'mlops-kit job --help')"),
        (["env", "explain"], "missing argument 'KEY' (see 'mlops-kit env explain --help')"),
        (
            ["job", "list", "--experimnt", "x"],
            "no such option '--experimnt', did you mean --experiment or --parent? (see ",
        ),
        (
            ["run", "t", "--timeout", "abc"],
            "invalid value for '--timeout': 'abc' is not a valid number of seconds (see",
        ),
        (
            ["run", "t", "--timeout", "nan"],
            "invalid value for '--timeout': 'nan' is not a valid number of seconds (see",
        ),
        (["job", "list", "--limit", "x"], "invalid value for '--limit': 'x' is not a valid whole number (see"),
        (["local", "logs", "-n", "x"], "invalid value for '-n' / '--lines': 'x' is not a valid whole number (see"),
        (["local", "start", "--quota", "x"], "invalid value for '--quota': 'x' is not a valid whole number (see"),
        (
            ["render", "t", "-o", "xml"],
            "invalid value for '-o' / '--output': 'xml' is not one of 'text', 'json', 'yaml'",
        ),
    ],
)
def test_wrong_call_is_one_line_with_the_way_to_the_help(run, arguments, expected):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {expected}")
    assert err.count("\n") == 1


def test_group_without_a_command_prints_its_help(run):
    code, _, err = run("job")
    assert code == 2
    assert "Usage: mlops-kit job" in err
    assert "compare" in err


@pytest.mark.parametrize("path", sorted(set(COMMANDS) - PROGRAMS))
def test_every_result_can_be_had_as_text_json_and_yaml(path):
    [output] = [option for option in COMMANDS[path].params if option.name == "output"]
    assert {"-o", "--output"} <= set(output.opts)
    assert {"text", "json", "yaml"} <= set(output.type.choices)


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_number_has_a_name_that_messages_can_use(path):
    for option in COMMANDS[path].params:
        assert "range" not in option.type.name, option.opts


def test_file_that_the_system_refuses_is_one_line(run, tmp_path):
    (tmp_path / ".mlops_kit" / "local" / "logs").mkdir(parents=True)
    (tmp_path / ".mlops_kit" / "local" / "settings.json").mkdir()
    code, out, err = run("local", "env")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("psutil", ["local", "status"]), ("azure.identity", ["job", "list", "-e", "dev"])],
)
def test_missing_package_is_one_line_with_what_to_install(package, arguments):
    project = Path(__file__).resolve().parents[2]
    program = f"import sys; sys.modules[{package!r}] = None; from mlops_kit.cli import main; main(sys.argv[1:])"
    env = {**os.environ, "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-0000000000aa"}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == (
        f"error: the package {package} is missing; install mlops_kit[local], or mlops_kit[azure] for Azure alone\n"
    )
