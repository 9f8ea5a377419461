"""Keys, types and allowed values: one finding per fault, at its place, with what was meant."""

import pytest

JOB = """\
type: command
command: echo hello
environment: azureml:sklearn@latest
"""


def test_a_sound_job_has_no_finding(folder):
    assert folder.found(JOB) == []


def test_a_misspelt_key_is_one_finding_that_names_the_key_meant(folder):
    found = folder.found("type: command\ncomand: echo\nenvironment: azureml:sklearn@latest\n")
    assert found == ["2:1: error[MK0102]: unknown key `comand`; did you mean `command`"]


def test_a_misspelt_key_in_a_nested_map_names_the_map(folder):
    assert folder.found(JOB + "limits:\n  timeot: 5\n") == [
        "5:3: error[MK0102]: unknown key `timeot` in `limits`; did you mean `timeout`"
    ]


def test_a_misplaced_key_is_told_where_it_belongs(folder):
    assert folder.found(JOB + "shm_size: 2g\n") == [
        "4:1: error[MK0109]: misplaced key `shm_size`; it belongs under `resources`"
    ]


def test_an_extension_key_may_hold_anchors_and_a_merge_may_override(folder):
    text = """\
    x-common: &common
      FLAG: "1"
      LEVEL: low
    type: command
    command: echo
    environment: azureml:sklearn@latest
    environment_variables:
      <<: *common
      LEVEL: high
    """
    assert folder.found(text) == []


def test_a_missing_environment_is_named(folder):
    assert folder.found("type: command\ncommand: echo\n") == [
        "1:1: error[MK0104]: required key `environment` is missing"
    ]


def test_an_unknown_type_is_one_finding_with_the_type_meant(folder):
    assert folder.found(JOB.replace("type: command", "type: comand")) == [
        "1:7: error[MK0106]: `comand` is not a value of `type`; did you mean `command`"
    ]


@pytest.mark.parametrize(
    ("declared", "instead"),
    [
        ("inferencecluster", "attach the cluster as `kubernetes`"),
        ("aks", "attach the cluster as `kubernetes`"),
        ("databricks", "no compute of v2 is one; use a job of type `spark`"),
        ("computinstance", "did you mean `computeinstance`"),
    ],
)
def test_a_compute_of_a_type_that_is_gone_is_told_what_to_use_instead(folder, declared, instead):
    """L2-16, L5-18, L5-20."""
    found = folder.found(f"name: a\ntype: {declared}\nsize: Standard_DS3_v2\n", "computes/a.yml")
    assert found == [f"2:7: error[MK0106]: `{declared}` is not a value of `type`; {instead}"]


def test_an_input_of_unknown_type_names_the_types_there_are(folder):
    found = folder.found(
        JOB.replace("hello", "${{inputs.a}}") + "inputs:\n  a:\n    type: uri_fil\n    path: azureml:a:1\n"
    )
    assert found == ["6:11: error[MK0106]: `uri_fil` is not a value of `type`; did you mean `uri_file`"]


def test_a_mode_that_the_type_does_not_have_is_refused(folder):
    inputs = "inputs:\n  a:\n    type: uri_file\n    path: azureml:a:1\n    mode: eval_mount\n"
    found = folder.found(JOB.replace("hello", "${{inputs.a}}") + inputs)
    assert (
        found == ["8:11: error[MK0106]: `eval_mount` is not a value of `mode`; did you mean `ro_mount`"]
        or "expected one of download, ro_mount, direct" in found[0]
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "resources:\n  instance_count: many\n",
            "5:19: error[MK0105]: `instance_count` is `many`; expected an integer",
        ),
        ("resources:\n  instance_count:\n", "5:18: error[MK0108]: `instance_count` has no value; expected an integer"),
        ("tags: [a, b]\n", "4:7: error[MK0105]: `tags` is a list; expected a map"),
        ("limits: 5\n", "4:9: error[MK0105]: `limits` is `5`; expected a map"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(folder, lines, expected):
    assert folder.found(JOB + lines) == [expected]


def test_an_environment_without_prefix_is_told_how_it_is_written(folder):
    assert folder.found(JOB.replace("azureml:sklearn@latest", "sklearn@latest")) == [
        (
            "3:14: error[MK0107]: `sklearn@latest` is not a form that `environment` can have; "
            "write `azureml:sklearn@latest`"
        )
    ]


def test_a_step_name_that_is_no_identifier_gets_one_offered(folder):
    text = """\
    type: pipeline
    jobs:
      prep-data:
        command: echo
        environment: azureml:sklearn@latest
    """
    (found,) = folder.found(text)
    assert found.startswith("3:3: error[MK0201]: `prep-data` is not a valid name")
    assert found.endswith("write `prep_data`")


def test_a_step_without_type_is_a_command(folder):
    text = """\
    type: pipeline
    jobs:
      train:
        comand: echo
        environment: azureml:sklearn@latest
    """
    assert folder.found(text) == ["4:5: error[MK0102]: unknown key `comand` in `train`; did you mean `command`"]


def test_a_step_of_unknown_type_is_one_finding(folder):
    text = """\
    type: pipeline
    jobs:
      train:
        type: comand
        command: echo
        environment: azureml:sklearn@latest
    """
    assert folder.found(text) == ["4:11: error[MK0106]: `comand` is not a value of `type`; did you mean `command`"]


def test_a_component_key_in_a_step_is_refused_by_name(folder):
    """R14."""
    text = """\
    type: pipeline
    jobs:
      train:
        type: command
        command: echo
        environment: azureml:sklearn@latest
        is_deterministic: false
    """
    assert folder.found(text) == [
        "7:5: error[MK0109]: misplaced key `is_deterministic` in `train`; it belongs in the file of a component"
    ]


def test_text_that_looks_like_a_number_is_text_where_text_belongs(folder):
    assert folder.found(JOB + "display_name: 2024\ntags:\n  day: 2024-01-01\n  on: 5\n") == []


def test_every_fault_of_a_file_is_reported_in_the_order_of_the_file(folder):
    found = folder.found("type: command\ncomand: echo\nlimits:\n  timeout: long\ntags: 1\n")
    assert [line.split(":")[0] for line in found] == ["1", "2", "4", "5"]


def test_a_compute_without_type_says_which_there_are(folder):
    (found,) = folder.found("name: cpu\nsize: Standard_DS3_v2\n", "computes/cpu.yml")
    assert found.startswith("1:1: error[MK0104]: required key `type` is missing; expected one of amlcompute,")


def test_a_file_that_tells_nothing_is_asked_for_its_type(folder):
    assert folder.found("alpha: 1\n", "other/file.yml") == [
        "1:1: error[MK0101]: this is no kind of Azure ML file that is known; add `$schema:` or `type:`"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data/a.yml", "name: a\ntype: uri_folder\npath: azureml://datastores/d/paths/a/\n"),
        ("environments/a.yml", "name: a\nimage: python:3.11\n"),
        ("computes/a.yml", "name: cpu\ntype: amlcompute\nsize: Standard_DS3_v2\nmin_instances: 0\nmax_instances: 2\n"),
        ("e.yml", "name: an-endpoint\nauth_mode: key\n"),
        (
            "d.yml",
            "name: blue\nendpoint_name: churn\nmodel: azureml:m:1\ninstance_type: Standard_DS3_v2\ninstance_count: 1\n",
        ),
        ("s.yml", "name: s\ntrigger:\n  type: cron\n  expression: '0 1 * * *'\ncreate_job: azureml:a-job\n"),
        ("c/conda.yml", "name: a\nchannels: [conda-forge]\ndependencies: [python=3.12, pip, {pip: [mlflow]}]\n"),
    ],
)
def test_other_kinds_are_recognised_and_pass(folder, name, text):
    assert folder.found(text, name) == []


def test_a_long_value_stays_on_one_short_line(folder):
    (found,) = folder.found(JOB + "limits: |\n" + "  a line of many words, and one more\n" * 20)
    assert "\n" not in found
    assert len(found) < 160


def test_a_misspelt_type_that_nothing_else_tells_is_found_where_it_stands(folder):
    assert folder.found("name: a\ntype: uri_foler\npath: azureml://datastores/d/paths/a\n", "data/a.yml") == [
        "2:7: error[MK0101]: no kind of Azure ML file has the type `uri_foler`; did you mean `uri_folder`"
    ]
