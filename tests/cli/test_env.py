"""``mlops-kit env`` and ``schema``: what they print, where, and with which exit code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch, called):
    """Return a function that runs a command in a copy of the project's environments: (exit code, stdout, stderr)."""
    shutil.copytree(PROJECT / "environments", tmp_path / "environments")
    monkeypatch.chdir(tmp_path)
    for name in ("MLOPS_KIT_ENV", "AZURE_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)

    def run_command(*arguments, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return called(*arguments)

    return run_command


def test_list_names_the_environments_and_which_are_protected(run):
    code, out, err = run("env", "list", "-o", "json")
    assert (code, err) == (0, "")
    assert [(row["name"], row["protected"]) for row in json.loads(out)] == [
        ("dev", False),
        ("local", False),
        ("prod", True),
        ("test", False),
    ]


def test_list_in_text_is_a_table_with_a_head(run):
    lines = run("env", "list")[1].splitlines()
    assert lines[0].split() == ["name", "protected", "description"]
    assert [line.split()[:2] for line in lines[1:]] == [["dev", "no"], ["local", "no"], ["prod", "yes"], ["test", "no"]]


def test_show_prints_every_value_in_each_form(run):
    forms = {form: run("env", "show", "-e", "local", "-o", form)[1] for form in ("text", "json", "yaml")}
    assert json.loads(forms["json"]) == yaml.safe_load(forms["yaml"])
    assert json.loads(forms["json"])["workspace"]["name"] == "mlw-local"
    lines = [line.split() for line in forms["text"].splitlines()]
    assert lines[0] == ["key", "value"]
    assert ["workspace.name", "mlw-local"] in lines


def test_value_that_cannot_be_evaluated_is_marked_and_noted_on_stderr(run):
    code, out, err = run("env", "show", "-e", "dev", "-o", "json")
    assert code == 0
    assert "'AZURE_SUBSCRIPTION_ID' is not set" in json.loads(out)["workspace"]["subscription_id"]
    assert err.startswith("note: environments/dev.yaml:4:20: workspace.subscription_id: ")
    code, out, err = run("env", "show", "-e", "dev", "-o", "json", AZURE_SUBSCRIPTION_ID="s1")
    assert json.loads(out)["workspace"]["subscription_id"] == "s1"
    assert err == ""


def test_environment_comes_from_the_variable_and_the_option_is_stronger(run):
    assert json.loads(run("env", "show", "-o", "json", MLOPS_KIT_ENV="local")[1])["name"] == "local"
    assert json.loads(run("env", "show", "-e", "test", "-o", "json")[1])["name"] == "test"


def test_missing_environment_lists_the_known_ones(run):
    code, out, err = run("env", "show")
    assert (code, out) == (2, "")
    assert err == "error: no environment named: use -e NAME or set MLOPS_KIT_ENV; known are dev, local, prod, test\n"


def test_unknown_environment_offers_the_near_one(run):
    code, out, err = run("env", "show", "-e", "prd")
    assert (code, out) == (2, "")
    assert err == "error: no environment 'prd'; known are dev, local, prod, test, did you mean 'prod'?\n"


def test_configured_default_is_used_and_never_a_protected_one(run, tmp_path):
    base = tmp_path / "environments" / "base.yaml"
    text = base.read_text(encoding="utf-8")
    base.write_text(f"{text}default_environment: local\n", encoding="utf-8")
    assert json.loads(run("env", "show", "-o", "json")[1])["name"] == "local"
    base.write_text(f"{text}default_environment: prod\n", encoding="utf-8")
    code, out, err = run("env", "show")
    assert (code, out) == (2, "")
    assert "'prod' is protected and must be named" in err


def test_explain_prints_value_file_and_line_of_each_layer(run):
    out = run("env", "explain", "workspace.name", "-e", "local", "--set", "workspace.name=mine", "-o", "json")[1]
    found = json.loads(out)
    assert [(row["layer"], row["place"], row["value"]) for row in found["layers"]] == [
        ("base", "environments/base.yaml:11:9", "mlw-${project.name}-${env.name}"),
        ("local", "environments/local.yaml:8:9", "mlw-local"),
        ("--set", "--set workspace.name", "mine"),
    ]
    assert found["values"] == {"workspace.name": "mine"}


def test_explain_in_text_is_a_table_of_layers_and_one_of_values(run):
    layers, values = run("env", "explain", "workspace.name", "-e", "test")[1].split("\n\n")
    assert [line.split() for line in layers.splitlines()] == [
        ["key", "layer", "place", "value"],
        ["workspace.name", "base", "environments/base.yaml:11:9", "mlw-${project.name}-${env.name}"],
    ]
    assert [line.split() for line in values.splitlines()] == [
        ["key", "value"],
        ["workspace.name", "mlw-mlops-kit-test"],
    ]


def test_diff_in_text_names_its_columns(run):
    assert run("env", "diff", "dev", "prod")[1].splitlines()[0].split() == ["key", "dev", "prod"]


def test_explain_of_an_unknown_key_offers_the_near_one(run):
    code, _, err = run("env", "explain", "workspace.nam", "-e", "local")
    assert code == 2
    assert "did you mean 'workspace.name'?" in err


def test_diff_lists_what_differs_and_leaves_with_3_when_asked(run):
    code, out, _ = run("env", "diff", "dev", "prod", "-o", "json")
    assert code == 0
    rows = {row["key"]: (row["dev"], row["prod"]) for row in json.loads(out)}
    assert rows["protected"] == (False, True)
    assert rows["workspace.name"] == ("mlw-mlops-kit-dev", "mlw-mlops-kit-prod")
    assert "compute" not in rows
    assert run("env", "diff", "dev", "prod", "--exit-code")[0] == 3
    code, out, _ = run("env", "diff", "dev", "dev", "--exit-code")
    assert (code, out) == (0, "dev and dev do not differ\n")


def test_override_for_an_unknown_path_is_refused(run):
    code, out, err = run("env", "show", "-e", "local", "--set", "workspace.nam=x")
    assert (code, out) == (2, "")
    assert "no such path 'workspace.nam', did you mean 'workspace.name'?" in err


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"compute: [a\n", "environments/local.yaml:2:1: error: malformed YAML"),
        (b"compute: caf\xe9\n", "environments/local.yaml:1:13: error: byte 0xe9 is not UTF-8"),
        ("compute: a\n".encode("utf-16"), "environments/local.yaml:1:1: error: the file is UTF-16"),
        (b"comput: a\n", "environments/local.yaml:1:1: error: unknown key 'comput', did you mean 'compute'?"),
    ],
)
def test_wrong_file_is_one_line_with_its_place(run, tmp_path, content, expected):
    (tmp_path / "environments" / "local.yaml").write_bytes(content)
    code, out, err = run("env", "show", "-e", "local")
    assert (code, out) == (2, "")
    assert err.startswith(expected)
    assert err.count("\n") == 1


def test_folder_that_is_no_project_is_named(run, tmp_path):
    (tmp_path / "environments" / "base.yaml").unlink()
    code, _, err = run("env", "list")
    assert code == 2
    assert "lies in no project" in err


def test_schema_of_environments_names_every_key_that_the_files_use(run):
    code, out, _ = run("schema", "environment")
    assert code == 0
    keys = set(json.loads(out)["properties"])
    for path in (PROJECT / "environments").glob("*.yaml"):
        assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) <= keys


def test_schema_of_an_unknown_kind_offers_the_near_one_or_the_list(run):
    assert run("schema", "environmnt") == (
        2,
        "",
        "error: no schema of kind 'environmnt', did you mean 'environment'?\n",
    )
    assert run("schema", "zzz") == (2, "", "error: no schema of kind 'zzz'; 'mlops-kit schema' lists the kinds\n")


def test_schemas_and_their_kinds_come_in_each_form(run):
    names = run("schema")[1].splitlines()
    assert {"environment", "command_job"} <= set(names)
    assert json.loads(run("schema", "-o", "json")[1]) == yaml.safe_load(run("schema", "-o", "yaml")[1]) == names
    text = run("schema", "environment")[1]
    assert text == run("schema", "environment", "-o", "json")[1]
    assert yaml.safe_load(run("schema", "environment", "-o", "yaml")[1]) == json.loads(text)


def test_every_key_of_the_schema_is_read_by_the_package(run):
    """A key that nothing reads promises what is not done; ``location`` says itself that templates read it.

    That every key below ``infra`` changes what is built is proved in tests/infra/test_settings.py.
    """
    schema = json.loads(run("schema", "environment")[1])
    code = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "mlops_kit").rglob("*.py"))
    for path in (each for each in _leaves(schema) if not each.startswith("infra.")):
        words = {f'"{path}"', f'"{path.rpartition(".")[2]}"'} if path.startswith("workspace.") else {f'"{path}"'}
        assert path in {"$schema", "location", "vars"} or any(word in code for word in words), path


def _leaves(part, path=()):
    inner = part.get("properties")
    if not inner:
        yield ".".join(path)
    for key, below in (inner or {}).items():
        yield from _leaves(below, (*path, key))


def test_help_loads_neither_yaml_nor_jinja_nor_azure():
    code = (
        "import sys\nfrom mlops_kit.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'yaml', 'jinja2', 'azure', 'mlflow', 'pathspec'} & set(sys.modules)), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"
    assert "render" in ran.stdout
