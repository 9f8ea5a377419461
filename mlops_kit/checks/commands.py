"""Commands and environment variables: optional groups, blanks around them, text that a shell takes otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_kit.checks import shell
from mlops_kit.checks.bindings import REFERENCE
from mlops_kit.checks.files import place_in
from mlops_kit.checks.findings import Edit, Finding, brief, error, warning
from mlops_kit.checks.pipelines import is_optional, text_of
from mlops_kit.documents import Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_kit.checks.subject import Subject
    from mlops_kit.documents import Node

COMMANDS = {"command", "program_arguments", "args"}
IN_QUOTES = ("''", '""')  # what stands around a group that is one word, empty without the input
GROUP = re.compile(r"\$\[\[(?:(?!\$\[\[).)*?\]\]", re.DOTALL)  # groups do not nest
CONTINUED = re.compile(r"(\$\{\{\s*(inputs|outputs)\.(\w+)\s*\}\})/")
GLUED_FLAG = re.compile(r"(?:^|\s)(--?[A-Za-z][\w-]*)\$\{\{")


def check(subject: Subject) -> list[Finding]:
    """Return what is wrong with every command of a document and with the environment variables beside it."""
    return _faults(subject.root, None)


def _faults(owner: Map, above: Node | None) -> list[Finding]:
    """Return the faults of a map and of the maps below it; a task reads the inputs that stand ``above`` it."""
    inputs, outputs, commands, below = above, owner.get("outputs"), [], []
    findings: list[Finding] = []
    for entry in owner.entries:
        key, value = entry.key.text, entry.value
        if isinstance(value, Scalar):
            commands += [value] if key in COMMANDS else []
        elif isinstance(value, Map):
            if key == "inputs":
                inputs = value
            elif key == "environment_variables":
                findings += _variables(value)
            else:
                below.append((key, value))
    for command in commands:
        findings += _command(command, inputs)
        if "}}/" in command.text:
            findings += _below_files(command, {"inputs": inputs, "outputs": outputs})
    for key, value in below:
        findings += _faults(value, inputs if key == "task" else None)
    return findings


def _below_files(command: Scalar, declared: dict[str, Node | None]) -> Iterator[Finding]:
    """Yield references to a file that the command goes on below, as if it were a folder."""
    for written, port, name in CONTINUED.findall(command.text):
        ports = declared[port]
        kind = ports.get(name) if isinstance(ports, Map) else None
        if isinstance(kind, Map) and text_of(kind.get("type")) == "uri_file":
            message = f"`{written}` is a file, and the command looks for something below it"
            yield error(
                "MK0327", place_in(command, written), message, f"declare `{name}` as uri_folder, or end with it"
            )


def _variables(variables: Map) -> list[Finding]:
    """Report variables without a value: the service knows text only."""
    return [
        error(
            "MK0601",
            entry.key.place,
            f"environment variable `{entry.key.text}` has no value",
            'write "" for an empty text',
        )
        for entry in variables.entries
        if isinstance(entry.value, Scalar) and entry.value.value is None
    ]


def _command(command: Scalar, inputs: Node | None) -> list[Finding]:
    """Check one command against the inputs declared beside it."""
    findings = _line_ends(command)
    findings += shell.faults(command)
    if "$[[" not in command.text and "${{" not in command.text:
        return findings
    return findings + _unclosed(command) + _optional_inputs(command, inputs) + _blanks(command)


def _line_ends(command: Scalar) -> list[Finding]:
    """Report carriage returns, and backslashes that do not join their line with the next."""
    findings: list[Finding] = []
    if "\r" in command.text:
        is_plain = not re.search(r"\r(?!\n)", command.text)
        edit = Edit("\\r", "") if is_plain else None  # only an escape in quotes can write one
        message = "the command holds a carriage return"
        findings.append(error("MK0602", command.place, message, r"write `\n` alone", edit))
    for blanks in dict.fromkeys(re.findall(r"\\([ \t]+)\n", command.text)):
        message = "a line of the command ends with a backslash and blanks, so the shell does not join it with the next"
        place = place_in(command, f"\\{blanks}")
        findings.append(error("MK0602", place, message, "remove the blanks", Edit(f"\\{blanks}\n", "\\\n")))
    return findings


def _unclosed(command: Scalar) -> list[Finding]:
    """Report a group without its end: the shell would get the brackets."""
    rest = GROUP.sub(" ", command.text) if "$[[" in command.text else ""
    start = rest.find("$[[")
    if start < 0:
        return []
    written = rest[start:].splitlines()[0].rstrip()
    return [
        error("MK0323", place_in(command, written), f"`{brief(written)}` lacks its end", f"write `{brief(written)}]]`")
    ]


def _optional_inputs(command: Scalar, inputs: Node | None) -> list[Finding]:
    """Report optional inputs outside of a group: without a value the command would keep the reference."""
    if not isinstance(inputs, Map):
        return []
    optional = {f"inputs.{entry.key.text}" for entry in inputs.entries if is_optional(entry.value)}
    if not optional:
        return []
    rest = GROUP.sub(" ", command.text)
    outside = {match[1].strip(): match[0] for match in REFERENCE.finditer(rest.partition("$[[")[0])}
    return [
        error(
            "MK0305",
            place_in(command, outside[text]),
            f"the input `{text.removeprefix('inputs.')}` is optional and stands outside of a $[[ ]] group",
            f"write `$[[--{text.removeprefix('inputs.')} ${{{{{text}}}}}]]`",
        )
        for text in outside
        if text in optional
    ]


def _blanks(command: Scalar) -> list[Finding]:
    """Warn of groups and flags that would be glued to their neighbour."""
    text = command.text
    findings = [
        warning("MK0306", place_in(command, flag), f"no blank between `{flag}` and its value", f"write `{flag} ${{{{`")
        for flag in GLUED_FLAG.findall(text.replace("$[[", " "))
    ]
    for group in GROUP.finditer(text):
        before, after = text[: group.start()][-1:], text[group.end() :][:1]
        glued = f"{before}{after}".strip()
        if glued and glued not in IN_QUOTES:
            message = f"`{brief(group[0])}` touches the next word"
            findings.append(warning("MK0306", place_in(command, group[0]), message, "put a blank on both sides"))
    return findings
