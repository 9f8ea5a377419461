"""``mlops-kit data | model | component | environment`` on a local workspace (field reports R19, R38)."""

import yaml

DATA = "name: {name}\ntype: uri_folder\npath: folder-{name}\n"


def _folder(workspace_project, name, text):
    folder = workspace_project / "templates" / "data" / f"folder-{name}"
    folder.mkdir(exist_ok=True)
    (folder / "a.csv").write_text(text, encoding="utf-8")


def test_unchanged_content_makes_no_new_version(kit, write, workspace_project):
    _folder(workspace_project, "same", "a\n1\n")
    template = write("data/same.yml", DATA.format(name="same"))

    made = [kit("data", "register", template, "-o", "json").json for _ in range(2)]

    assert [(each["version"], each["created"]) for each in made] == [("1", True), ("1", False)]


def test_new_version_of_unchanged_content_is_made_when_asked_for(kit, write, workspace_project):
    _folder(workspace_project, "forced", "a\n1\n")
    header = "$schema: x/commandComponent.schema.json\n"
    templates = {
        "data": write("data/forced.yml", DATA.format(name="forced")),
        "model": write("models/forced.yml", "name: forced\ntype: custom_model\npath: ../data/folder-forced\n"),
        "environment": write("environments/forced.yml", "name: forced\nimage: python:3.11\n"),
        "component": write(
            "components/forced.yml",
            f"{header}name: forced\ntype: command\ncommand: echo\nenvironment: azureml:AzureML-minimal@latest\n",
        ),
    }
    for kind, template in templates.items():
        made = [kit(kind, "register", template, *more, "-o", "json") for more in ((), ("--new-version",), ())]
        assert [ran.code for ran in made] == [0, 0, 0], made[1].err
        first, second, third = (ran.json["version"] for ran in made)
        # The service numbers the further versions of a component by the time.
        assert (first, second) == ("1", "2" if kind != "component" else third)
        assert first != second == third
        assert [ran.json["created"] for ran in made] == [True, True, False]


def test_new_version_of_a_file_that_states_its_version_is_refused(kit, write, workspace_project):
    _folder(workspace_project, "stated", "a\n1\n")
    ran = kit(
        "data", "register", write("data/stated.yml", DATA.format(name="stated") + 'version: "7"\n'), "--new-version"
    )

    assert ran.code == 2
    assert "the data asset 'stated' is to get a new version, and its file states version 7" in ran.err


def test_changed_file_makes_the_next_version(kit, write, workspace_project):
    template = write("data/grown.yml", DATA.format(name="grown"))
    made = []
    for text in ("a\n1\n", "a\n1\n2\n"):
        _folder(workspace_project, "grown", text)
        made.append(kit("data", "register", template, "-o", "json").json["version"])

    assert made == ["1", "2"]


def test_used_version_with_other_content_is_refused_with_both_hashes(kit, write, workspace_project):
    template = write("data/pinned.yml", DATA.format(name="pinned") + 'version: "7"\n')
    _folder(workspace_project, "pinned", "a\n1\n")
    first = kit("data", "register", template, "-o", "json").json
    _folder(workspace_project, "pinned", "a\n2\n")
    refused = kit("data", "register", template)

    assert first["version"] == "7"
    assert refused.code == 2
    assert "the data asset pinned:7 exists with other content (hash " in refused.err
    assert "Traceback" not in refused.err


def test_list_shows_the_newest_version_and_list_name_all_of_them(kit, write, workspace_project):
    template = write("data/listed.yml", DATA.format(name="listed"))
    for text in ("a\n1\n", "a\n2\n"):
        _folder(workspace_project, "listed", text)
        kit("data", "register", template)

    newest = [row["version"] for row in kit("data", "list", "-o", "json").json if row["name"] == "listed"]
    versions = [row["version"] for row in kit("data", "list", "listed", "-o", "json").json]

    assert newest == ["2"]
    assert versions == ["2", "1"]


def test_list_has_columns_that_the_service_fills_and_list_name_no_tags_of_ours(kit, write, workspace_project):
    _folder(workspace_project, "tagged", "a\n1\n")
    text = DATA.format(name="tagged") + "description: some words\ntags: {team: blue}\n"
    kit("data", "register", write("data/tagged.yml", text))
    head, *lines = kit("data", "list").out.splitlines()
    versions = kit("data", "list", "tagged")

    assert head.split() == ["name", "version", "type"]
    assert "tagged 1 uri_folder" in {" ".join(line.split()) for line in lines}
    assert versions.out.splitlines()[0].split() == ["name", "version", "created", "tags", "properties", "description"]
    assert "team=blue" in versions.out
    assert "some words" in versions.out
    assert "mlops_kit." not in versions.out
    assert kit("data", "list", "tagged", "-o", "json").json[0]["tags"]["mlops_kit.digest"]


def test_table_of_what_was_registered_says_what_is_new(kit, write, workspace_project):
    _folder(workspace_project, "tabled", "a\n1\n")
    template = write("data/tabled.yml", DATA.format(name="tabled"))

    made = [kit("data", "register", template).out.splitlines()[1].split() for _ in range(2)]

    assert made == [["data", "tabled", "1", "new"], ["data", "tabled", "1", "unchanged"]]


def test_show_takes_a_version_a_label_or_a_bare_name(kit, write, workspace_project):
    template = write("data/shown.yml", DATA.format(name="shown"))
    for text in ("a\n1\n", "a\n2\n"):
        _folder(workspace_project, "shown", text)
        kit("data", "register", template)

    shown = [kit("data", "show", reference, "-o", "json").json for reference in ("shown:1", "shown@latest", "shown")]

    assert [each["version"] for each in shown] == ["1", "2", "2"]
    assert all(each["tags"]["mlops_kit.project"] for each in shown)


def test_unknown_asset_names_the_nearest_and_unknown_version_the_known_ones(kit, write, workspace_project):
    _folder(workspace_project, "nearest", "a\n1\n")
    kit("data", "register", write("data/nearest.yml", DATA.format(name="nearest")))

    assert "no data asset named 'neerest'; did you mean nearest?" in kit("data", "show", "neerest").err
    assert "no version of the data asset 'nearest' named '9'; known are 1" in kit("data", "show", "nearest:9").err
    assert "has no label 'prod'; known is latest" in kit("data", "show", "nearest@prod").err
    assert kit("data", "show", "neerest").code == 2


def test_environment_asset_keeps_its_conda_file_and_its_version(kit, write):
    template = write(
        "environments/conda.yml",
        "name: conda-here\nimage: python\nconda_file:\n  name: c\n  dependencies: [python=3.11, pip]\n",
    )
    made = [kit("environment", "register", template, "-o", "json").json for _ in range(2)]
    shown = kit("environment", "show", "conda-here", "-o", "json").json

    assert [each["version"] for each in made] == ["1", "1"]
    assert shown["conda_file"]["dependencies"] == ["python=3.11", "pip"]


def test_requirements_file_with_the_same_content_is_the_same_version(kit, write, workspace_project):
    pins = workspace_project / "templates" / "environments" / "pins.txt"
    template = write("environments/pins.yml", "name: pins\nimage: python:3.11\nconda_file: pins.txt\n")
    versions = []
    for text in ("six==1.16.0\n", "# a comment\nsix==1.16.0\n", "six==1.17.0\n"):
        pins.write_text(text, encoding="utf-8")
        versions.append(kit("environment", "register", template, "-o", "json").json["version"])
    shown = kit("environment", "show", "pins:1", "-o", "json").json

    assert versions == ["1", "1", "2"]
    assert shown["conda_file"]["dependencies"] == ["python=3.11", "pip", {"pip": ["six==1.16.0"]}]


def test_setting_of_the_environment_reaches_the_asset(kit, write, workspace_project):
    _folder(workspace_project, "over", "a\n1\n")
    template = write("data/over.yml", DATA.format(name="over") + "description: ${env.vars.word}\n")
    kit("data", "register", template, "--set", "env.vars.word=hello")

    assert kit("data", "show", "over", "-o", "json").json["description"] == "hello"


def test_component_is_registered_and_listed(kit):
    made = kit("component", "register", "components/train", "-o", "json").json
    listed = kit("component", "list", "-o", "json").json

    assert (made["name"], made["version"]) == ("train", "1")
    assert "train" in {row["name"] for row in listed}


def test_secret_reaches_the_asset_and_is_shown_masked(kit, write, workspace_project):
    _folder(workspace_project, "secretive", "a\n1\n")
    text = DATA.format(name="secretive") + "tags:\n  db_password: ${secret.DB}\n"
    template = write("data/secretive.yml", text)

    without = kit("data", "register", template)
    with_secret = kit("data", "register", template, MLOPS_KIT_SECRET_DB="hunter2")
    shown = kit("data", "show", "secretive", "-o", "yaml").out

    assert without.code == 2
    assert "the secret 'DB' is not known: set MLOPS_KIT_SECRET_DB" in without.err
    assert with_secret.code == 0
    assert yaml.safe_load(shown)["tags"]["db_password"] == "***"
    assert "hunter2" not in shown + with_secret.out + with_secret.err


def test_secret_arrives_in_the_workspace(commands_workspace):
    assert commands_workspace.ml_client().data.get("secretive", version="1").tags["db_password"] == "hunter2"


def test_template_of_another_kind_is_refused_with_the_right_command(kit, chosen):
    assert f"holds a job, not only model; use 'mlops-kit run hello {chosen}'" in kit("model", "register", "hello").err
    ran = kit("model", "register", "data/breast-cancer")
    assert f"use 'mlops-kit data register data/breast-cancer {chosen}'" in ran.err
    assert ran.code == 2


def test_model_register_needs_a_template_or_a_job(kit):
    assert "give a TEMPLATE, or --job or --sweep with --path and --name" in kit("model", "register").err
    assert "--job needs --path" in kit("model", "register", "--job", "j").err


def test_option_that_would_change_nothing_is_refused(kit):
    with_template = kit("model", "register", "hello", "--name", "n")
    with_job = kit("model", "register", "--job", "j", "--path", "p", "--name", "n", "--set", "reg_rate=1")

    assert (with_template.code, with_job.code) == (2, 2)
    assert "--name would change nothing: it goes with --job" in with_template.err
    assert "--set reg_rate would change nothing: with --job there is no template" in with_job.err


def test_tag_without_a_value_is_a_usage_error(kit):
    ran = kit("model", "register", "--job", "j", "--path", "p", "--name", "n", "--tag", "alone")

    assert ran.code == 2
    assert "--tag 'alone' is not KEY=VALUE" in ran.err


def test_model_from_a_file_keeps_every_field(kit, write, workspace_project):
    (workspace_project / "templates" / "models").mkdir(exist_ok=True)
    (workspace_project / "templates" / "models" / "m.pkl").write_bytes(b"weights")
    text = "name: from-file\ntype: custom_model\npath: m.pkl\ndescription: words\ntags:\n  framework: sklearn\n"

    kit("model", "register", write("models/m.yml", text))
    shown = kit("model", "show", "from-file", "-o", "json").json

    assert (shown["description"], shown["type"], shown["tags"]["framework"]) == ("words", "custom_model", "sklearn")


def test_empty_list_is_said_in_words(kit):
    assert kit("component", "list", "--archived").out == "no components\n"
    assert kit("component", "list", "--archived", "-o", "json").json == []


def test_workspace_is_named_once_on_stderr_and_never_on_stdout(kit):
    ran = kit("data", "list", "-o", "json")

    assert ran.err.count("workspace mlw-commands in rg-local, on this machine\n") == 1
    assert "/workspaces/" not in ran.out.replace("azureml://", "")


def test_path_that_the_service_refuses_is_shown_at_its_line(kit, write, workspace_project):
    (workspace_project / "templates" / "models").mkdir(exist_ok=True)
    path = "path: azureml://datastores/nowhere/paths/x\n"
    data = kit("data", "register", write("data/refused.yml", f"name: refused\ntype: uri_file\n{path}"))
    model = kit("model", "register", write("models/refused.yml", f"name: refused\ntype: custom_model\n{path}"))

    assert (data.code, model.code) == (2, 2)
    told = "could not register the data asset 'refused': The datastore 'nowhere'"
    assert f"data/refused.yml:3:1: error: {told}" in data.err
    assert "models/refused.yml:3:1: error: could not register the model 'refused': The datastore 'nowhere'" in model.err
