"""What a template becomes: expressions, parameters, settings, and what stays as it was written."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlops_kit import documents, environments, render
from mlops_kit.errors import MlopsKitError
from mlops_kit.expressions import SecretText

PROJECT = Path(__file__).parents[1]
BASE = """\
compute: cpu
vars:
  image: python:3.11
  lines: "line1\\nline2: x"
  punctuated: "fix: no #12"
  nothing: null
  braces: "{a: 1}"
  mapping: {a: 1, b: [x, y]}
  rate: 0.10
  exponent: 1e-4
  flag: true
  no: no
"""


@pytest.fixture
def rendered(tmp_path, monkeypatch):
    """Return a function that renders a template text to plain data; one document gives that document."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    for name in ("dev", "prod"):
        (folder / f"{name}.yaml").write_text("", encoding="utf-8")

    def render_text(text, *settings, env="dev", process=None, as_text=False):
        template = tmp_path / "t.yml"
        template.write_text(text, encoding="utf-8")
        environment = environments.load(folder, env, process=process or {})
        found = render.render(template, environment, render.parse_settings(settings))
        if as_text:
            return documents.dump(found)
        data = [documents.to_data(document) for document in found]
        return data[0] if len(data) == 1 else data

    return render_text


def refusal(rendered, text, *settings, **options):
    with pytest.raises(MlopsKitError) as caught:
        rendered(text, *settings, **options)
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert "\n" not in message
    return message


# R07: the platform's own expressions


def test_platform_expressions_stay_byte_identical_whatever_is_in_the_context(rendered):
    text = """\
command: >-
  run ${{inputs.a}} ${{parent.jobs.prep.outputs.o}} ${{search_space.lr}}
  $[[--o ${{inputs.o}}]] ${{ secrets.X }} ${var.inputs}
x-mlops:
  parameters: {inputs: 5, parent: 6, outputs: 7, secrets: 8}
"""
    expected = (
        "run ${{inputs.a}} ${{parent.jobs.prep.outputs.o}} ${{search_space.lr}} "
        "$[[--o ${{inputs.o}}]] ${{ secrets.X }} 5"
    )
    assert rendered(text) == {"command": expected}


def test_template_without_expressions_is_rendered_to_itself(rendered):
    text = (
        "type: command\ncommand: |\n  echo ${HOME}\n  echo $x {{y}}\n"
        "environment: azureml:e:1\ninputs:\n  a: 010\n  b: no\n"
    )
    [document] = documents.parse(rendered(text, as_text=True), Path("t.yml"))
    assert documents.to_data(document.root)["command"] == "echo ${HOME}\necho $x {{y}}\n"
    assert rendered(text)["inputs"] == {"a": "010", "b": "no"}


# R08: values that would break a text template


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lines", "line1\nline2: x"),
        ("punctuated", "fix: no #12"),
        ("nothing", None),
        ("braces", "{a: 1}"),
        ("mapping", {"a": 1, "b": ["x", "y"]}),
        ("rate", 0.1),
        ("exponent", 0.0001),
        ("flag", True),
        ("no", "no"),
    ],
)
def test_value_is_equal_after_render_and_read_back(rendered, name, value):
    text = f"a: ${{env.vars.{name}}}\n"
    assert rendered(text) == {"a": value}
    assert yaml.safe_load(rendered(text, as_text=True)) == {"a": value}


def test_value_with_line_breaks_stays_inside_a_block(rendered):
    text = "command: |\n  echo '${env.vars.lines}'\n  next\nname: x\n"
    assert yaml.safe_load(rendered(text, as_text=True)) == {"command": "echo 'line1\nline2: x'\nnext\n", "name": "x"}


def test_value_inside_a_text_is_written_as_yaml_writes_it(rendered):
    assert rendered("a: v${env.vars.rate}-${env.vars.flag}-${env.vars.exponent}\n") == {"a": "v0.10-true-1e-4"}


def test_null_or_a_mapping_inside_a_text_is_refused(rendered):
    assert refusal(rendered, "a: x${env.vars.nothing}\n") == (
        "t.yml:1:5: ${env.vars.nothing} is null and cannot be part of a text"
    )
    assert "is a mapping and cannot be part of a text" in refusal(rendered, "a: x${env.vars.mapping}\n")


def test_key_that_becomes_another_one_is_refused(rendered):
    message = refusal(rendered, "tags:\n  dev: x\n  ${env.name}: y\n")
    assert message == "t.yml:3:3: the key ${env.name} becomes 'dev', which is there already"


def test_keys_are_rendered_too(rendered):
    assert rendered("tags:\n  on-${env.name}: x\n") == {"tags": {"on-dev": "x"}}


# R09: environment variables of a job


def test_environment_variables_keep_the_text_that_was_written(rendered):
    text = "environment_variables: {FLAG: true, N: 5, R: 1.50, E: '', V: '${env.vars.rate}', B: '${env.vars.flag}'}\n"
    expected = {"FLAG": "true", "N": "5", "R": "1.50", "E": "", "V": "0.10", "B": "true"}
    assert rendered(text) == {"environment_variables": expected}
    assert yaml.safe_load(rendered(text, as_text=True)) == {"environment_variables": expected}


def test_environment_variables_of_a_pipeline_step_keep_their_text(rendered):
    text = "jobs:\n  a:\n    environment_variables: {N: 010, F: FALSE}\n"
    assert rendered(text)["jobs"]["a"]["environment_variables"] == {"N": "010", "F": "FALSE"}


@pytest.mark.parametrize("value", ["~", "", "${env.vars.nothing}"])
def test_null_environment_variable_is_refused(rendered, value):
    message = refusal(rendered, f"environment_variables:\n  A: x\n  Z: {value}\n")
    assert message.startswith("t.yml:3:")
    assert "cannot be null" in message


# R11: keys


def test_duplicate_key_is_refused_with_both_lines(rendered):
    message = refusal(rendered, "command: a\nname: n\ncommand: b\n")
    assert message == "t.yml:3:1: key 'command' is written twice, in line 1 and in line 3"


def test_merge_key_override_and_extension_keys_are_legal(rendered):
    text = "x-common: &common {type: uri_file, mode: ro_mount}\ninputs:\n  a:\n    <<: *common\n    mode: download\n"
    assert rendered(text) == {"inputs": {"a": {"type": "uri_file", "mode": "download"}}}


def test_local_tag_has_no_meaning_in_a_template(rendered):
    assert refusal(rendered, "a: !replace {b: 1}\n") == "t.yml:1:4: the tag !replace has no meaning in a template"


# R12: settings of the command line


def test_setting_of_a_nested_list_is_yaml(rendered):
    text = "jobs:\n  sweep:\n    search_space:\n      kernel: {type: choice, values: [a]}\n"
    found = rendered(text, "jobs.sweep.search_space.kernel.values=[rbf, linear]")
    assert found["jobs"]["sweep"]["search_space"]["kernel"]["values"] == ["rbf", "linear"]


def test_setting_of_a_number_is_a_number(rendered):
    assert rendered("inputs: {lr: 0.5}\n", "inputs.lr=0.1") == {"inputs": {"lr": 0.1}}


def test_setting_of_an_unknown_path_offers_the_near_one(rendered):
    text = "inputs: {lr: 0.5}\n"
    assert refusal(rendered, text, "input.lr=0.1") == "--set input.lr: no such path 'input', did you mean 'inputs'?"
    assert refusal(rendered, text, "inputs.l=1") == "--set inputs.l: no such path 'inputs.l', did you mean 'inputs.lr'?"


def test_setting_reaches_items_of_a_list(rendered):
    assert rendered("a: [{name: x, n: 1}, {name: y, n: 2}]\n", "a.y.n=3", "a.0.n=4")["a"] == [
        {"name": "x", "n": 4},
        {"name": "y", "n": 3},
    ]


def test_block_of_the_template_cannot_be_set_by_path(rendered):
    assert "no such path 'x-mlops'" in refusal(
        rendered, "a: 1\nx-mlops: {parameters: {p: 1}}\n", "x-mlops.parameters.p=2"
    )


# R01, R05: what is left in the result


def test_undefined_parameter_names_the_template_line(rendered):
    message = refusal(rendered, "a: 1\ncommand: |\n  one\n  two ${var.lr}\nx-mlops: {parameters: {lrr: 1}}\n")
    assert message == "t.yml:4:7: ${var.lr}: there is no parameter 'lr', did you mean 'lrr'?"


def test_undefined_name_in_a_folded_text_names_its_own_line(rendered):
    assert refusal(rendered, "command: >-\n  one\n\n  two\n  ${env.nam}\n").startswith(
        "t.yml:5:3: ${env.nam}: there is no"
    )


def test_process_variable_is_literal_in_the_result(rendered):
    assert rendered("a: ${process.SUB}\n", process={"SUB": "s1"}, as_text=True) == "a: s1\n"
    assert refusal(rendered, "a: 1\nb: ${process.SUB}\n") == (
        "t.yml:2:4: ${process.SUB}: environment variable 'SUB' is not set"
    )


def test_fault_of_an_environment_value_is_told_at_the_environment_file(rendered, tmp_path):
    (tmp_path / "environments" / "prod.yaml").write_text("compute: ${process.NO}\n", encoding="utf-8")
    message = refusal(rendered, "a: ${env.compute}\n", env="prod")
    assert message.startswith("environments/prod.yaml:1:10: compute: ${process.NO}")


def test_secret_is_never_rendered_and_revealed_on_demand(rendered, tmp_path):
    text = "environment_variables:\n  URL: pg://${secret.PW}@${env.name}\n"
    assert rendered(text, as_text=True) == "environment_variables:\n  URL: pg://${secret.PW}@dev\n"
    environment = environments.load(tmp_path / "environments", "dev", process={})
    found = render.render(tmp_path / "t.yml", environment)
    value = documents.to_data(found[0])["environment_variables"]["URL"]
    assert isinstance(value, SecretText)
    revealed = documents.to_data(render.reveal(found, {"PW": "s3"}.__getitem__)[0])
    assert revealed["environment_variables"]["URL"] == "pg://s3@dev"


# x-mlops

DECLARED = """\
a: ${var.p}
x-mlops:
  parameters:
    p: {type: TYPE, default: DEFAULT, LIMIT}
"""


def declared(kind, default, limit="description: x"):
    return DECLARED.replace("TYPE", kind).replace("DEFAULT", default).replace("LIMIT", limit)


@pytest.mark.parametrize(
    ("kind", "default", "given", "expected"),
    [
        ("string", "x", "5", "5"),
        ("string", "x", "1.50", "1.50"),
        ("string", "x", "true", "true"),
        ("string", "5", None, "5"),
        ("integer", "1", "7", 7),
        ("integer", "1", "'7'", 7),
        ("number", "1", "0.10", 0.1),
        ("number", "1", "1e-4", 0.0001),
        ("number", "1", "3", 3),
        ("boolean", "false", "true", True),
        ("array", "[1]", "[a, b]", ["a", "b"]),
        ("object", "{}", "{a: 1}", {"a": 1}),
        ("number", "null", None, None),
        ("string", "'${env.name}'", None, "dev"),
    ],
)
def test_parameter_has_the_declared_type(rendered, kind, default, given, expected):
    found = rendered(declared(kind, default), *([f"p={given}"] if given else []))["a"]
    assert found == expected
    assert isinstance(found, type(expected))


@pytest.mark.parametrize(
    ("kind", "limit", "given", "expected"),
    [
        ("number", "minimum: 0", "abc", "--set p: parameter 'p' must be a number, not 'abc'"),
        ("number", "minimum: 0", "true", "--set p: parameter 'p' must be a number, not True"),
        ("number", "minimum: 0", "-1", "--set p: parameter 'p' must be at least 0, not -1"),
        ("integer", "maximum: 3", "4", "--set p: parameter 'p' must be at most 3, not 4"),
        ("integer", "maximum: 3", "1.5", "--set p: parameter 'p' must be an integer, not 1.5"),
        ("integer", "enum: [1, 2]", "3", "--set p: parameter 'p' must be one of 1, 2, not 3"),
        ("integer", "enum: [1, 2]", "null", "--set p: parameter 'p' must be an integer, not null"),
        ("array", "description: x", "a", "--set p: parameter 'p' must be a list, not 'a'"),
    ],
)
def test_value_outside_the_declaration_is_refused(rendered, kind, limit, given, expected):
    default = "[1]" if kind == "array" else "1"
    assert refusal(rendered, declared(kind, default, limit), f"p={given}") == expected


def test_parameter_without_default_must_be_given(rendered):
    text = "a: ${var.p}\nx-mlops:\n  parameters:\n    p: {type: string}\n"
    assert (
        refusal(rendered, text) == "t.yml:4:5: parameter 'p' has no value and no default: give one with --set p=VALUE"
    )
    assert rendered(text, "p=x") == {"a": "x"}


def test_bare_value_declares_default_and_type(rendered):
    text = "a: ${var.p}\nx-mlops: {parameters: {p: 0.5}}\n"
    assert rendered(text) == {"a": 0.5}
    assert "must be a number" in refusal(rendered, text, "p=x")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{parameter: {}}", "unknown key 'parameter' in x-mlops, did you mean 'parameters'?"),
        ("{parameters: {p: {typ: string}}}", "unknown key 'typ' in parameter 'p', did you mean 'type'?"),
        ("{parameters: {p: {type: text}}}", "parameter 'p': unknown type 'text'; known are string, integer"),
        (
            "{parameters: {p: {type: string, minimum: 1}}}",
            "parameter 'p': minimum is a number, for a number or integer",
        ),
        ("{parameters: {p-q: 1}}", "parameter 'p-q' is not a name"),
        ("{parameters: [p]}", "x-mlops.parameters is a mapping"),
        ("{environments: {a: 1}}", "x-mlops.environments is a list of names"),
        ("[a]", "x-mlops is a mapping"),
        ("{for_each: {item: 3}}", "x-mlops.for_each: 'item' needs a list"),
    ],
)
def test_wrong_block_is_refused_at_its_line(rendered, block, expected):
    message = refusal(rendered, f"a: 1\nx-mlops: {block}\n")
    assert message.startswith("t.yml:2:")
    assert expected in message


def test_template_applies_only_where_it_says(rendered):
    text = "a: 1\nx-mlops: {environments: [prod]}\n"
    assert rendered(text, env="prod") == {"a": 1}
    assert refusal(rendered, text) == "t.yml:2:1: the template does not apply in environment 'dev', only in prod"


def test_documents_of_a_file_may_apply_in_different_environments(rendered):
    text = "a: 1\nx-mlops: {environments: [prod]}\n---\nb: 2\n"
    assert rendered(text) == {"b": 2}
    assert rendered(text, env="prod") == [{"a": 1}, {"b": 2}]


def test_for_each_makes_one_document_per_item(rendered):
    text = "name: m-${var.model}-${var.seed}\nx-mlops:\n  for_each: {model: [lr, tree], seed: [1, 2]}\n"
    assert [each["name"] for each in rendered(text)] == ["m-lr-1", "m-lr-2", "m-tree-1", "m-tree-2"]


def test_for_each_over_a_parameter_binds_item(rendered):
    text = (
        "name: ${var.item}\nx-mlops:\n  parameters: {models: {type: array, default: [a, b]}}\n"
        "  for_each: ${var.models}\n"
    )
    assert rendered(text) == [{"name": "a"}, {"name": "b"}]
    assert rendered(text, "models=[c]") == {"name": "c"}


# defaults of the environment


def test_command_without_environment_gets_the_default_of_the_environment(rendered, tmp_path):
    (tmp_path / "environments" / "prod.yaml").write_text("defaults: {environment: 'azureml:e:1'}\n", encoding="utf-8")
    bare = "type: command\ncommand: echo\n"
    assert rendered(bare) == {"type": "command", "command": "echo"}
    assert rendered(bare, env="prod")["environment"] == "azureml:e:1"
    assert rendered(f"{bare}environment: own\n", env="prod")["environment"] == "own"
    assert "environment" not in rendered("type: pipeline\njobs: {}\n", env="prod")


def test_packages_without_an_image_get_the_default_of_the_environment(rendered, tmp_path):
    (tmp_path / "environments" / "prod.yaml").write_text("defaults: {image: 'python:3.11'}\n", encoding="utf-8")
    packages = "{conda_file: conda.yml}"
    bare = "name: e\nconda_file: conda.yml\n"
    assert rendered(bare) == {"name": "e", "conda_file": "conda.yml"}
    assert rendered(bare, env="prod")["image"] == "python:3.11"
    assert rendered(f"{bare}image: own:1\n", env="prod")["image"] == "own:1"
    assert "image" not in rendered("name: e\nbuild: {path: .}\n", env="prod")
    assert rendered(f"command: echo\nenvironment: {packages}\n", env="prod")["environment"]["image"] == "python:3.11"
    step = rendered(f"type: pipeline\njobs: {{a: {{command: echo, environment: {packages}}}}}\n", env="prod")["jobs"][
        "a"
    ]
    assert step["environment"] == {"conda_file": "conda.yml", "image": "python:3.11"}


# the result


def test_rendering_is_deterministic_in_another_process():
    code = (
        "from pathlib import Path\n"
        "from mlops_kit import documents, environments, render\n"
        "environment = environments.load(Path('environments'), 'local', process={})\n"
        "for path in sorted(Path('templates').glob('*/*.yml')):\n"
        "    if 'conda' not in path.name:\n"
        "        print(documents.dump(render.render(path, environment)))\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT,
            env={"PYTHONHASHSEED": seed, "PATH": "", "LANG": lang},
            capture_output=True,
            check=True,
        ).stdout
        for seed, lang in (("1", "C"), ("2", "C.UTF-8"))
    ]
    assert outputs[0] == outputs[1]
    assert b"azureml:cpu-cluster" in outputs[0]


def test_rendering_the_result_again_changes_nothing(rendered):
    text = "a: ${env.vars.lines}\nb: ${env.vars.mapping}\nc: no\nd: 0.10\ne: |\n  x\n  y\n"
    once = rendered(text, as_text=True)
    assert rendered(once, as_text=True) == once


def test_shipped_templates_differ_between_environments_only_in_what_the_environments_say():
    loaded = [environments.load(PROJECT / "environments", name, process={}) for name in ("dev", "test", "prod")]
    jobs = [documents.to_data(render.render(PROJECT / "templates/jobs/hello.yml", each)[0]) for each in loaded]
    assert [job.pop("command").rpartition(" ")[2] for job in jobs] == ['dev"', 'test"', 'prod"']
    assert jobs[0] == jobs[1] == jobs[2]


def test_rendered_job_loads_in_the_sdk(tmp_path):
    from azure.ai.ml import load_job

    environment = environments.load(PROJECT / "environments", "local", process={})
    settings = render.parse_settings(["reg_rate=1e-4", "data=azureml:diabetes:1"])
    found = render.render(PROJECT / "templates" / "jobs" / "train.yml", environment, settings)
    folder = tmp_path / "jobs"
    folder.mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "sklearn.yml").write_text("name: e\nimage: python:3.11\n", encoding="utf-8")
    (folder / "train.yml").write_text(documents.dump(found), encoding="utf-8")
    job = load_job(folder / "train.yml")
    assert job.type == "command"
    assert job.inputs["reg_rate"]._data == 0.0001
    assert job.inputs["data"].path.removeprefix("azureml:") == "diabetes:1"
    assert job.compute == "cpu-cluster"
    assert "--reg-rate ${{inputs.reg_rate}}" in job.command
