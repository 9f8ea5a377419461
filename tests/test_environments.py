"""Layers of an environment: precedence, markers, types, expressions, and where each value came from."""

from pathlib import Path

import pytest

from mlops_kit import environments
from mlops_kit.errors import EnvironmentFileError, MlopsKitError, UsageError

PROJECT = Path(__file__).parents[1]
DEFAULTS = {"base": "", "dev": ""}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function that writes the files of a project and loads one environment of it."""
    monkeypatch.chdir(tmp_path)

    def load_files(name="dev", /, *overrides, process=None, **files):
        folder = tmp_path / "shop" / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        for stem, text in {**DEFAULTS, **files}.items():
            (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
        return environments.load(folder, name, overrides=overrides, process=process or {})

    return load_files


def refusal(load, *arguments, **files):
    with pytest.raises(MlopsKitError) as caught:
        load(*arguments, **files)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


# R01: values that refer to values


def test_references_are_resolved_in_the_order_of_dependency(load):
    base = "vars:\n  rg: rg-${env.vars.stem}-${env.name}\n  stem: ml-${env.vars.region}\n  region: weu\n"
    assert load("test", base=base, test="").get("vars.rg") == "rg-ml-weu-test"


def test_reference_from_the_base_sees_the_value_of_the_stronger_layer(load):
    base = "vars:\n  region: weu\n  stem: ml-${env.vars.region}\n"
    assert load(base=base, dev="vars:\n  region: neu\n").get("vars.stem") == "ml-neu"


def test_loop_of_references_is_printed(load):
    environment = load(base="vars:\n  a: ${env.vars.b}\n  b: x${env.vars.a}\n")
    with pytest.raises(EnvironmentFileError) as caught:
        environment.get("vars.a")
    assert "vars.a -> vars.b -> vars.a" in str(caught.value)
    assert str(caught.value).startswith("shop/environments/base.yaml:2:")


def test_value_that_refers_to_itself_is_a_loop(load):
    with pytest.raises(EnvironmentFileError, match=r"compute -> compute"):
        load(base="compute: ${env.compute}-x\n").get("compute")


def test_reference_to_a_whole_mapping_gives_the_mapping(load):
    environment = load(base="vars:\n  a: {b: 1}\n  c: ${env.vars.a}\n")
    assert dict(environment.get("vars.c")) == {"b": 1}


# R02: every form of an override, and precedence by layer only


@pytest.mark.parametrize(
    ("base", "prod", "expected"),
    [
        ("{default: team-a}", "{default: team-b, description: x}", "team-b"),
        ("team-a", "{from_env: OWNER}", "team-c"),
        ("{from_env: OWNER}", "team-b", "team-b"),
        ("{default: team-a}", "team-b", "team-b"),
        ("team-a", "{description: who pays}", "team-a"),
        ("team-a", "{from_env: NOBODY, default: team-d}", "team-d"),
        ("team-a", "''", ""),
        ("5", "0", 0),
        ("true", "false", False),
        ("team-a", "null", None),
    ],
)
def test_override_wins_in_every_form_and_however_empty(load, base, prod, expected):
    environment = load(
        "prod", base=f"vars:\n  owner: {base}\n", prod=f"vars:\n  owner: {prod}\n", process={"OWNER": "team-c"}
    )
    assert environment.values["vars"]["owner"] == expected


def test_override_of_a_value_in_long_form_does_not_become_a_mapping(load):
    environment = load(base="vars:\n  owner: {default: a, description: x}\n")
    assert environment.get("vars.owner") == "a"


def test_missing_variable_of_from_env_is_named_with_its_line(load):
    environment = load(base="vars:\n  owner:\n    from_env: OWNER\n")
    [problem] = [each for each in environments.problems(environment) if each.place]
    assert str(problem) == "shop/environments/base.yaml:3:5: vars.owner: environment variable 'OWNER' is not set"


def test_declaration_without_a_value_in_any_layer_is_refused(load):
    message = refusal(load, base="vars:\n  owner:\n    description: who pays\n    from_env:\n")
    assert "vars.owner: from_env takes the name of an environment variable" in message


# R03: merge, replace, append, delete


def test_maps_merge_deep(load):
    base = "vars:\n  cluster: {sku: A, min: 1, max: 5}\n"
    assert dict(load(base=base, dev="vars:\n  cluster: {max: 1}\n").get("vars.cluster")) == {
        "sku": "A",
        "min": 1,
        "max": 1,
    }


def test_replace_marker_drops_what_was_below(load):
    base = "vars:\n  cluster: {sku: A, min: 1, max: 5}\n"
    assert dict(load(base=base, dev="vars:\n  cluster: !replace {sku: B}\n").get("vars.cluster")) == {"sku": "B"}


def test_delete_marker_removes_a_key(load):
    environment = load(base="vars:\n  a: 1\n  b: 2\n", dev="vars:\n  a: !delete\n")
    assert dict(environment.get("vars")) == {"b": 2}


def test_delete_of_what_no_layer_has_is_refused(load):
    message = refusal(load, base="vars: {a: 1}\n", dev="vars:\n  aa: !delete\n")
    assert message == "shop/environments/dev.yaml:2:7: vars.aa: no earlier layer has anything to delete here"


def test_lists_replace_and_append_marker_adds(load):
    base = "vars:\n  zones: [a, b]\n"
    assert load(base=base, dev="vars:\n  zones: [c]\n").get("vars.zones") == ("c",)
    assert load(base=base, dev="vars:\n  zones: !append [c]\n").get("vars.zones") == ("a", "b", "c")
    assert load(base=base, dev="vars:\n  zones: []\n").get("vars.zones") == ()


def test_lists_of_named_items_merge_by_name(load):
    base = "vars:\n  pools:\n  - {name: cpu, sku: A, max: 4}\n  - {name: gpu, sku: B, max: 1}\n"
    dev = "vars:\n  pools:\n  - {name: gpu, max: 2}\n  - {name: big, sku: C, max: 9}\n"
    pools = [dict(pool) for pool in load(base=base, dev=dev).get("vars.pools")]
    assert pools == [
        {"name": "cpu", "sku": "A", "max": 4},
        {"name": "gpu", "sku": "B", "max": 2},
        {"name": "big", "sku": "C", "max": 9},
    ]


def test_named_item_can_be_deleted(load):
    base = "vars:\n  pools:\n  - {name: cpu, max: 4}\n  - {name: gpu, max: 1}\n"
    pools = load(base=base, dev="vars:\n  pools:\n  - !delete {name: cpu}\n").get("vars.pools")
    assert [pool["name"] for pool in pools] == ["gpu"]


def test_incomplete_item_without_a_base_is_refused_with_the_near_name(load):
    base = "vars:\n  pools:\n  - {name: cpu-small, sku: A, max: 4}\n"
    message = refusal(load, base=base, dev="vars:\n  pools:\n  - {name: cpu-smal, max: 2}\n")
    assert message.startswith(
        "shop/environments/dev.yaml:3:5: vars.pools: 'cpu-smal' is in no earlier layer and lacks 'sku'"
    )
    assert "did you mean 'cpu-small'?" in message


def test_unknown_marker_is_refused(load):
    message = refusal(load, dev="vars:\n  a: !override 1\n")
    assert (
        message
        == "shop/environments/dev.yaml:2:6: vars.a: unknown marker !override; known are !replace, !append, !delete"
    )


def test_explain_gives_value_file_and_line_of_each_layer(load):
    environment = load(
        "dev",
        "compute=e",
        base="compute: a\nvars:\n  cluster: {sku: A, max: 5}\n",
        dev="compute: b\nvars:\n  cluster: !replace\n    max: 1\n",
        process={"MLOPS_KIT_VAR_compute": "d"},
    )
    assert [(each.layer, str(each.place), each.text) for each in environments.explain(environment, "compute")] == [
        ("base", "shop/environments/base.yaml:1:10", "a"),
        ("dev", "shop/environments/dev.yaml:1:10", "b"),
        ("MLOPS_KIT_VAR_compute", "MLOPS_KIT_VAR_compute", "d"),
        ("--set", "--set compute", "e"),
    ]
    assert environment.get("compute") == "e"
    below = [(".".join(each.path), each.layer, each.text) for each in environments.explain(environment, "vars.cluster")]
    assert below == [
        ("vars.cluster", "dev", "!replace"),
        ("vars.cluster.max", "base", "5"),
        ("vars.cluster.max", "dev", "1"),
        ("vars.cluster.sku", "base", "A"),
    ]
    assert environments.explain(environment, "vars.cluster.max")[-1].text == "1"


def test_explain_of_an_unknown_key_offers_the_near_one(load):
    with pytest.raises(UsageError, match=r"no key 'comput' in environment 'dev', did you mean 'compute'"):
        environments.explain(load(base="compute: a\n"), "comput")


# R05, R06: process variables, and which environment


def test_process_variable_is_read_once_and_its_value_stays(load):
    process = {"AZ_SUB": "s1"}
    environment = load(base="vars:\n  sub: ${process.AZ_SUB}\n", process=process)
    assert environment.get("vars.sub") == "s1"
    process.clear()
    assert environment.get("vars.sub") == "s1"


def test_absent_process_variable_is_a_fault_of_its_value_only(load):
    environment = load(base="compute: c\nvars:\n  sub: ${process.AZ_SUB}\n")
    assert environment.get("compute") == "c"
    with pytest.raises(EnvironmentFileError) as caught:
        environment.get("vars.sub")
    message = "shop/environments/base.yaml:3:8: vars.sub: ${process.AZ_SUB}: environment variable 'AZ_SUB' is not set"
    assert str(caught.value) == message


def test_fault_of_a_value_that_another_one_uses_is_told_at_its_own_line(load):
    environment = load(base="vars:\n  a: x-${env.vars.b}\n  b: ${process.NO}\n")
    with pytest.raises(EnvironmentFileError, match=r"base\.yaml:3:6: vars\.b: .*'NO' is not set"):
        environment.get("vars.a")


def test_unknown_environment_lists_the_known_and_the_near_one(load):
    message = refusal(load, "prd", prod="")
    assert message == "no environment 'prd'; known are dev, prod, did you mean 'prod'?"


def test_base_is_not_an_environment(load):
    assert "no environment 'base'" in refusal(load, "base")
    assert environments.known(Path("shop/environments")) == ("dev",)


def test_default_environment_must_be_configured_and_may_not_be_protected(load):
    load(base="compute: c\n")
    folder = Path("shop/environments")
    with pytest.raises(UsageError, match=r"no environment named.*known are dev"):
        environments.default_name(folder)
    load(base="default_environment: dev\n")
    assert environments.default_name(folder) == "dev"
    load(base="default_environment: dev\n", dev="protected: true\n")
    with pytest.raises(EnvironmentFileError, match="'dev' is protected and must be named"):
        environments.default_name(folder)


# R12: overrides from the command line and from variables


def test_override_is_yaml(load):
    environment = load(
        "dev", "vars.rate=0.1", "vars.kernels=[rbf, linear]", "vars.on=true", "vars.no=no", "vars.empty="
    )
    assert environment.get("vars.rate") == 0.1
    assert environment.get("vars.kernels") == ("rbf", "linear")
    assert environment.get("vars.on") is True
    assert environment.get("vars.no") == "no"
    assert environment.get("vars.empty") == ""


def test_last_override_wins_and_maps_merge(load):
    environment = load("dev", "vars.a={x: 1, y: 2}", "vars.a={y: 3}", "vars.a.x=4", base="vars: {a: {z: 0}}\n")
    assert dict(environment.get("vars.a")) == {"z": 0, "x": 4, "y": 3}


def test_override_reaches_items_by_name_and_by_number(load):
    base = "vars:\n  pools: [{name: cpu, max: 1}]\n  zones: [a, b]\n"
    environment = load("dev", "vars.pools.cpu.max=3", "vars.zones.1=c", base=base)
    assert environment.get("vars.pools")[0]["max"] == 3
    assert environment.get("vars.zones") == ("a", "c")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("workspce.name=x", "--set workspce.name: no such path 'workspce', did you mean 'workspace'?"),
        ("workspace.nam=x", "--set workspace.nam: no such path 'workspace.nam', did you mean 'workspace.name'?"),
        ("vars.zones.7=x", "--set vars.zones.7: no such path 'vars.zones.7'"),
        ("compute", "--set 'compute' is not of the form PATH=VALUE"),
        ("a..b=1", "--set 'a..b=1' is not of the form PATH=VALUE"),
        ("=1", "--set '=1' is not of the form PATH=VALUE"),
        ("compute=[a", "--set compute: malformed YAML"),
        ("protected=maybe", "--set protected: protected: true or false is expected, not 'maybe'"),
    ],
)
def test_bad_override_is_refused_by_its_path(load, override, expected):
    assert refusal(load, "dev", override, base="vars:\n  zones: [a]\n").startswith(expected)


def test_variable_with_double_underscore_sets_a_nested_value(load):
    process = {"MLOPS_KIT_VAR_workspace__name": "w", "MLOPS_KIT_VAR_WORKSPACE__RESOURCE_GROUP": "g"}
    environment = load(base="workspace: {name: a}\n", process=process)
    assert dict(environment.get("workspace")) == {"name": "w", "resource_group": "g"}


def test_variable_for_an_unknown_path_is_refused_by_its_name(load):
    message = refusal(load, process={"MLOPS_KIT_VAR_workspace__nam": "w"})
    assert message.startswith("MLOPS_KIT_VAR_workspace__nam: no such path 'workspace.nam'")


# types, and the shape of files


def test_values_keep_their_text_where_text_is_needed(load):
    environment = load(base="compute: 010\ntags: {version: 1.50, flag: true, n: 5}\nvars: {v: 0.10, s: no}\n")
    assert environment.get("compute") == "010"
    assert dict(environment.get("tags")) == {"version": "1.50", "flag": "true", "n": "5"}
    assert environment.get("vars.v") == 0.1
    assert environment.get("vars.s") == "no"


def test_text_that_comes_from_a_variable_becomes_the_boolean_its_place_needs(load):
    environment = load(base="protected: ${process.P}\n", process={"P": "true"})
    assert environment.protected is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("comput: x\n", "dev.yaml:1:1: unknown key 'comput', did you mean 'compute'?"),
        ("owner: x\n", "dev.yaml:1:1: unknown key 'owner'; known are"),
        ("workspace: {nam: x}\n", "dev.yaml:1:13: unknown key 'nam' in workspace, did you mean 'name'?"),
        ("workspace: x\n", "dev.yaml:1:12: workspace: a mapping is expected, not 'x'"),
        ("tags: [a]\n", "dev.yaml:1:7: tags: a mapping is expected, not a list"),
        ("compute: {a: 1}\n", "dev.yaml:1:10: compute: text is expected, not a mapping"),
        ("protected: maybe\n", "dev.yaml:1:12: protected: true or false is expected, not 'maybe'"),
        ("auth: ods\n", "dev.yaml:1:7: auth: 'ods' is not one of default, cli, oidc, sp"),
        (
            "default_environment: dev\n",
            "dev.yaml:1:1: 'default_environment' belongs in base.yaml: it is what is meant when no environment is",
        ),
        ("name: test\n", "dev.yaml:1:7: name: 'test' is not the name of the file, 'dev'"),
        ("- a\n", "dev.yaml:1:1: an environment file is a mapping of keys to values"),
        ("compute: a\n---\ncompute: b\n", "dev.yaml: an environment file holds one document"),
        ("compute: a\ncompute: b\n", "dev.yaml:2:1: key 'compute' is written twice, in line 1 and in line 2"),
    ],
)
def test_wrong_file_is_refused_at_its_line(load, text, expected):
    assert refusal(load, dev=text).startswith(f"shop/environments/{expected}")


def test_every_fault_of_both_files_is_found_in_one_go(load, tmp_path):
    load(base="compute: c\n")
    folder = tmp_path / "shop" / "environments"
    (folder / "base.yaml").write_text("comput: a\nauth: ods\n", encoding="utf-8")
    dev = "vars: !override {a: 1}\nprotected: maybe\nname: prod\nworkspace: {nam: x}\ntags: !append {a: b}\n"
    (folder / "dev.yaml").write_text(dev, encoding="utf-8")

    environment, faults = environments.examine(folder, "dev", process={})

    assert environment is None
    assert [str(fault).partition(": ")[0].rpartition("/")[2] for fault in faults] == [
        "base.yaml:1:1",
        "base.yaml:2:7",
        "dev.yaml:1:7",
        "dev.yaml:2:12",
        "dev.yaml:3:7",
        "dev.yaml:4:13",
        "dev.yaml:5:7",
    ]
    with pytest.raises(EnvironmentFileError, match=r"base\.yaml:1:1: unknown key 'comput'.* \(and 6 more faults\)$"):
        environments.load(folder, "dev", process={})


def test_file_that_cannot_be_read_does_not_hide_the_faults_of_the_other(load, tmp_path):
    load(base="compute: c\n")
    folder = tmp_path / "shop" / "environments"
    (folder / "base.yaml").write_text("compute: [a\n", encoding="utf-8")
    (folder / "dev.yaml").write_text("auth: ods\nvars:\n  zone: !delete\n", encoding="utf-8")

    faults = environments.examine(folder, "dev", process={})[1]

    assert [str(fault).partition(":")[0] for fault in faults] == [
        "shop/environments/base.yaml",
        "shop/environments/dev.yaml",
    ]
    assert "malformed YAML" in faults[0].message
    assert faults[1].message.startswith("auth: 'ods'")


def test_environment_is_on_this_machine_when_its_file_has_the_key_local(load):
    assert load("laptop", laptop="local: {runner: venv}\n").is_local
    assert load("laptop", laptop="local:\n").is_local
    assert not load("dev", base="compute: c\n").is_local
    assert not load("local", local="compute: c\n").is_local


def test_nothing_but_its_own_file_puts_an_environment_on_this_machine(load):
    message = refusal(load, base="local: {runner: host}\n")
    assert message.startswith("shop/environments/base.yaml:1:1: 'local' belongs in the file of an environment on this")
    for arguments, process in ((("dev", "local.runner=venv"), {}), (("dev",), {"MLOPS_KIT_VAR_local__runner": "venv"})):
        message = refusal(load, *arguments, base="", process=process)
        assert "environment 'dev' is not on this machine: only the key 'local' of its file can say so" in message
    assert load("laptop", "local.runner=venv", laptop="local:\n").get("local.runner") == "venv"


def test_tags_are_evaluated_text_and_a_null_one_is_none(load):
    environment = load(base="tags: {stage: '${env.name}', n: 1.50, gone: x}\n", dev="tags: {gone: null}\n")
    assert environment.tags == {"stage": "dev", "n": "1.50"}
    assert load(base="", dev="").tags == {}


def test_tag_cannot_hold_a_secret(load):
    environment = load(base="tags: {stage: dev, key: '${secret.KEY}'}\n")
    with pytest.raises(EnvironmentFileError, match=r"base\.yaml:1:25: tags\.key: a tag is readable by everybody"):
        _ = environment.tags
    assert any("tags.key: a tag is readable" in str(problem) for problem in environments.problems(environment))


def test_default_environment_that_is_unknown_is_told_at_its_line(load):
    load(base="default_environment: dve\n")
    with pytest.raises(EnvironmentFileError, match=r"base\.yaml:1:22: no environment 'dve'.*did you mean 'dev'"):
        environments.default_name(Path("shop/environments"))


def test_extension_keys_may_hold_anchors(load):
    environment = load(dev="x-pool: &pool {sku: A, max: 1}\nvars:\n  pool:\n    <<: *pool\n    max: 2\n")
    assert dict(environment.get("vars.pool")) == {"sku": "A", "max": 2}
    assert "x-pool" not in environment.values


def test_values_are_read_only(load):
    environment = load(base="compute: a\n")
    with pytest.raises(TypeError):
        environment.values["compute"] = "b"
    with pytest.raises(AttributeError):
        environment.name = "other"


def test_project_name_is_the_key_or_the_folder(load):
    assert load(base="compute: ${project.name}-c\n").get("compute") == "shop-c"
    assert load(base="project: store\ncompute: ${project.name}-c\n").get("compute") == "store-c"


def test_secret_stays_a_name(load):
    assert load(base="vars: {pw: '${secret.PW}'}\n").get("vars.pw") == "${secret.PW}"


# the files that ship


@pytest.mark.parametrize("name", ["dev", "test", "prod"])
def test_shipped_environment_needs_a_subscription_and_local_does_not(name):
    folder = PROJECT / "environments"
    [problem] = environments.problems(environments.load(folder, name, process={}))
    assert "workspace.subscription_id" in str(problem)
    assert "AZURE_SUBSCRIPTION_ID" in str(problem)
    with_variable = environments.load(folder, name, process={"AZURE_SUBSCRIPTION_ID": "s"})
    assert environments.problems(with_variable) == ()
    assert environments.problems(environments.load(folder, "local", process={})) == ()


def test_required_value_that_no_layer_has_is_named(load):
    missing = [str(problem) for problem in environments.problems(load(base="workspace: {name: w}\n"))]
    assert missing == [
        "environment 'dev' has no workspace.subscription_id",
        "environment 'dev' has no workspace.resource_group",
    ]


def test_only_prod_is_protected():
    folder = PROJECT / "environments"
    assert [name for name in environments.known(folder) if environments.load(folder, name, process={}).protected] == [
        "prod"
    ]


def test_local_environment_names_the_local_workspace():
    local = environments.load(PROJECT / "environments", "local", process={})
    assert dict(local.get("workspace")) == {
        "subscription_id": "00000000-0000-0000-0000-000000000001",
        "resource_group": "rg-local",
        "name": "mlw-local",
    }
    assert local.get("compute") == "cpu-cluster"


@pytest.mark.parametrize("path", sorted((PROJECT / "environments").glob("*.yaml")), ids=lambda path: path.name)
def test_first_line_of_a_shipped_file_leads_editors_to_the_schema(path):
    line = path.read_text(encoding="utf-8").splitlines()[0]
    target = line.removeprefix("# yaml-language-server: $schema=")
    assert target != line
    assert (path.parent / target).resolve() == PROJECT / "mlops_kit" / "schemas" / "environment.json"


def test_schema_accepts_the_shipped_files_as_an_editor_would():
    import fastjsonschema

    from mlops_kit import documents, environment_keys

    validate = fastjsonschema.compile(dict(environment_keys.schema()))
    for path in sorted((PROJECT / "environments").glob("*.yaml")):
        [document] = documents.load(path)
        validate(documents.to_data(document))
