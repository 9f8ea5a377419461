"""Texts without quotes that are something else to readers of YAML 1.1."""

import io

import pytest

DATA = "$schema: data.schema.json\nname: a\ntype: uri_folder\npath: azureml://datastores/d/paths/a\n"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.10", "1.1"),
        ("010", "8"),
        ("1_000", "1000"),
        ("0x1F", "31"),
        ("yes", "True"),
        ("off", "False"),
    ],
)
def test_a_version_that_others_read_as_another_one_is_a_warning(folder, text, read):
    assert folder.found(DATA + f"version: {text}\n", "data/a.yml") == [
        f'5:10: warning[MK0110]: `{text}` is `{read}` to every reader of YAML 1.1, such as az ml; write "{text}"'
    ]


@pytest.mark.parametrize("text", ["1", "1.1", "1.0", '"1.10"', "'010'", "v1", "true", "1e3", "~", "1.2.3"])
def test_a_version_that_all_read_alike_passes(folder, text):
    assert [line for line in folder.found(DATA + f"version: {text}\n", "data/a.yml") if "MK0110" in line] == []


def test_tags_and_properties_are_texts_too(folder):
    text = DATA + "tags: {a: 12:30, b: fine}\nproperties:\n  c: no\n"
    assert [line.partition("]")[0] for line in folder.found(text, "data/a.yml")] == [
        "5:11: warning[MK0110",
        "7:6: warning[MK0110",
    ]


def test_variables_of_jobs_and_of_steps_are_texts_too(folder):
    text = "command: echo\nenvironment: azureml:e:1\nenvironment_variables: {A: 1.10, B: '1.10', C: 5, D: true}\n"
    assert [line.partition("]")[0] for line in folder.found(text)] == ["3:28: warning[MK0110"]
    pipeline = f"type: pipeline\njobs:\n  a: {{{text.strip().replace(chr(10), ', ')}}}\n"
    (found,) = folder.found(pipeline)
    assert "warning[MK0110]: `1.10` is `1.1`" in found


def test_the_sdk_reads_what_the_finding_says():
    from azure.ai.ml import load_data

    assert load_data(io.StringIO(DATA + "version: 1.10\n")).version == "1.1"
    assert load_data(io.StringIO(DATA + 'version: "1.10"\n')).version == "1.10"
