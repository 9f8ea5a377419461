"""One mistake in a pipeline is one finding, at its line (R13)."""

import pytest

PIPELINE = """\
type: pipeline
settings:
  default_compute: azureml:cpu
inputs:
  rate: 0.1
  table:
    type: uri_folder
    path: azureml:patients:1
outputs:
  model:
    type: mlflow_model
jobs:
  prep:
    type: command
    command: python prep.py ${{inputs.table}} --out ${{outputs.clean}}
    code: ../src
    environment: azureml:sklearn@latest
    inputs:
      table: ${{parent.inputs.table}}
    outputs:
      clean:
        type: uri_folder
  fit:
    type: command
    component: ../components/fit.yml
    inputs:
      table: ${{parent.jobs.prep.outputs.clean}}
      rate: ${{parent.inputs.rate}}
      depth: 3
      loss: gini
    outputs:
      model: ${{parent.outputs.model}}
"""
COMPONENT = """\
type: command
name: fit
command: >-
  fit ${{inputs.table}} ${{inputs.rate}} ${{inputs.depth}} ${{inputs.loss}} ${{inputs.shuffle}}
  $[[--seed ${{inputs.seed}}]] ${{outputs.model}}
environment: azureml:sklearn@latest
inputs:
  table: {type: uri_folder}
  rate: {type: number, min: 0, max: 1}
  depth: {type: integer, default: 3, min: 1, max: 10}
  loss: {type: string, default: gini, enum: [gini, entropy]}
  shuffle: {type: boolean, default: true}
  seed: {type: integer, optional: true}
outputs:
  model: {type: mlflow_model}
"""
# what is written, what is written by mistake instead, and where that is found
MISTAKES = [
    pytest.param("code: ../src", "code: ../scr", "16:11: error[MK0401]", id="no such code folder (R13)"),
    pytest.param("  prep:\n", "  prep-data:\n", "13:3: error[MK0201]", id="a hyphen in the name of a step (R13)"),
    pytest.param(
        "    type: command\n    command",
        "    type: comand\n    command",
        "14:11: error[MK0106]",
        id="a misspelt type of a step (R13)",
    ),
    pytest.param(
        "    type: command\n    component",
        "    type: comand\n    component",
        "24:11: error[MK0106]",
        id="a misspelt type of a step with a component",
    ),
    pytest.param("components/fit.yml", "components/fti.yml", "25:16: error[MK0401]", id="no such component file (R13)"),
    pytest.param(
        "    component: ../components/fit.yml",
        "    component: ../components/fit.yml\n    command: python x.py",
        "26:5: warning[MK0315]",
        id="a command beside a component",
    ),
    pytest.param(
        "    type: command\n    component",
        "    type: parallel\n    component",
        "24:11: error[MK0316]",
        id="component type",
    ),
    pytest.param(
        "    component: ../comp", "    componnet: ../comp", "25:5: warning[MK0102]", id="misspelt component key"
    ),
    pytest.param(
        "    command: python prep", "    comand: python prep", "15:5: error[MK0102]", id="misspelt command key"
    ),
    pytest.param(
        "    inputs:\n      table: ${{parent.inputs",
        "    imputs:\n      table: ${{parent.inputs",
        "18:5: error[MK0102]",
        id="misspelt inputs key",
    ),
    pytest.param(
        "    inputs:\n      table: ${{parent.jobs",
        "    imputs:\n      table: ${{parent.jobs",
        "26:5: warning[MK0102]",
        id="misspelt inputs key 2",
    ),
    pytest.param(
        "    outputs:\n      clean", "    outptus:\n      clean", "20:5: error[MK0102]", id="misspelt outputs key"
    ),
    pytest.param(
        "    outputs:\n      model: $",
        "    outptus:\n      model: $",
        "31:5: warning[MK0102]",
        id="misspelt outputs key 2",
    ),
    pytest.param("jobs:\n  prep", "job:\n  prep", "12:1: error[MK0102]", id="misspelt jobs"),
    pytest.param("settings:", "setings:", "2:1: error[MK0102]", id="misspelt settings"),
    pytest.param("default_compute", "defualt_compute", "3:3: warning[MK0102]", id="misspelt default_compute"),
    pytest.param("type: pipeline", "type: pipline", "1:7: error[MK0106]", id="misspelt pipeline type"),
    pytest.param(
        "type: mlflow_model\njobs", "type: mlflow_modle\njobs", "11:11: error[MK0106]", id="misspelt output type"
    ),
    pytest.param(
        "    type: uri_folder\n    path",
        "    type: uri_foldr\n    path",
        "7:11: error[MK0106]",
        id="misspelt type of an input",
    ),
    pytest.param("azureml:patients:1", "azureml:patients", "8:11: error[MK0107]", id="no version"),
    pytest.param("azureml:patients:1", "patients:1", "8:11: error[MK0107]", id="no azureml"),
    pytest.param("parent.jobs.prep", "parent.jobs.pre", "27:14: error[MK0301]", id="unknown step"),
    pytest.param(
        "outputs.clean}}\n      rate", "outputs.cleaned}}\n      rate", "27:14: error[MK0301]", id="unknown step output"
    ),
    pytest.param("prep.outputs.clean", "prep.inputs.clean", "27:14: error[MK0301]", id="inputs for outputs"),
    pytest.param("parent.inputs.rate", "parent.inputs.rat", "28:13: error[MK0301]", id="unknown pipeline input"),
    pytest.param(
        "parent.inputs.rate",
        "parent.inputs.speed",
        "28:13: error[MK0301]",
        id="unknown pipeline input that is near none",
    ),
    pytest.param("parent.outputs.model", "parent.outputs.modle", "32:14: error[MK0301]", id="unknown pipeline output"),
    pytest.param("${{parent.jobs.prep", "${{jobs.prep", "27:14: error[MK0301]", id="without parent"),
    pytest.param("${{parent.inputs.rate", "${{inputs.rate", "28:13: error[MK0301]", id="without parent2"),
    pytest.param("${{parent.inputs.rate}}", "${{parent.inputs.rate}", "28:13: error[MK0323]", id="unclosed"),
    pytest.param("${{inputs.table}} --out", "${{inputs.table} --out", "15:29: error[MK0323]", id="unclosed command"),
    pytest.param("depth: 3", "depth: three", "29:14: error[MK0308]", id="literal type"),
    pytest.param("depth: 3", "depth: 3.5", "29:14: error[MK0308]", id="a decimal for an integer"),
    pytest.param("depth: 3", "depth: 30", "29:14: error[MK0309]", id="a value out of range"),
    pytest.param("loss: gini", "loss: ginni", "30:13: error[MK0310]", id="a value that is not listed"),
    pytest.param("depth: 3", "dpeth: 3", "29:7: error[MK0303]", id="misspelt input"),
    pytest.param("rate: ${{parent", "rte: ${{parent", "28:7: error[MK0303]", id="misspelt required input"),
    pytest.param("      rate: ${{parent.inputs.rate}}\n", "", "24:5: error[MK0304]", id="missing required"),
    pytest.param("depth: 3", "depth:", "29:13: error[MK0108]", id="null input"),
    pytest.param("depth: 3", "depth: [3]", "29:14: error[MK0105]", id="list input"),
    pytest.param("rate: 0.1", "rate: 10", "5:9: error[MK0309]", id="rate range"),
    pytest.param("rate: 0.1", "rate: high", "5:9: error[MK0308]", id="rate type"),
    pytest.param("rate: 0.1", "rate:", "5:8: error[MK0108]", id="rate null"),
    pytest.param("rate: 0.1", "rate: {type: number, default: 0.1}", "5:16: error[MK0106]", id="rate typed"),
    pytest.param(
        "rate: ${{parent.inputs.rate}}",
        "rate: ${{parent.inputs.table}}",
        "28:13: error[MK0311]",
        id="data into literal",
    ),
    pytest.param(
        "        type: uri_folder\n  fit", "        type: uri_file\n  fit", "27:14: error[MK0312]", id="folder of file"
    ),
    pytest.param("type: mlflow_model\njobs", "type: uri_file\njobs", "32:14: error[MK0312]", id="pipeline output type"),
    pytest.param(
        "outputs:\n  model",
        "outputs:\n  report: {type: uri_file}\n  model",
        "10:3: warning[MK0313]",
        id="unbound output",
    ),
    pytest.param(
        "      model: ${{parent", "      modle: ${{parent", "32:7: error[MK0303]", id="unknown component output"
    ),
    pytest.param(
        "table: ${{parent.inputs.table}}",
        "table: ${{parent.jobs.fit.outputs.model}}",
        "19:14: error[MK0307]",
        id="a circle",
    ),
    pytest.param(
        "table: ${{parent.inputs.table}}",
        "table: ${{parent.jobs.prep.outputs.clean}}",
        "19:14: error[MK0307]",
        id="a step that reads itself",
    ),
    pytest.param(
        "environment: azureml:sklearn@latest",
        "environment: sklearn@latest",
        "17:18: error[MK0107]",
        id="an environment without prefix",
    ),
    pytest.param("    environment: azureml:sklearn@latest\n", "", "13:3: error[MK0501]", id="no environment"),
    pytest.param(
        "    type: command\n    command",
        "    type: databricks\n    command",
        "14:11: error[MK0106]",
        id="databricks (L6-05)",
    ),
    pytest.param(
        "    type: command\n    command",
        "    type: AdlaStep\n    command",
        "14:11: error[MK0106]",
        id="AdlaStep (L6-06)",
    ),
    pytest.param(
        "    type: command\n    command", "    type: if_else\n    command", "14:11: error[MK0106]", id="if_else"
    ),
    pytest.param("--out $", '--out " $', "15:53: error[MK0322]", id="an open quote"),
    pytest.param("../src", "..\\src", "16:11: error[MK0403]", id="backslashes"),
    pytest.param("../src", "C:\\src", "16:11: error[MK0326]", id="a drive letter"),
    pytest.param("../src", "../src/*.py", "16:11: error[MK0405]", id="a wildcard"),
    pytest.param("../components/fit.yml", "..\\components\\fit.yml", "25:16: error[MK0403]", id="backslash component"),
    pytest.param("../components/fit.yml", "../components", "25:16: error[MK0404]", id="component folder"),
    pytest.param("../components/fit.yml", "fit:1", "25:16: error[MK0107]", id="component bare"),
    pytest.param("azureml:cpu", "", "3:19: error[MK0108]", id="compute null"),
    pytest.param("jobs:\n", "jobs:\n  other: [a]\n", "13:10: error[MK0105]", id="job a list"),
    pytest.param("jobs:\n", "jobs:\n  other:\n", "13:9: error[MK0108]", id="job null"),
    pytest.param(
        "    code: ../src",
        "    code: ../src\n    environment_variables: {A: ~}",
        "17:29: error[MK0601]",
        id="a variable without value (R09)",
    ),
    pytest.param(
        "        type: uri_folder\n  fit",
        "        type: uri_folder\n        path: azureml://datastores/d/paths/x\n  fit",
        "23:15: warning[MK0325]",
        id="a fixed output path (R22)",
    ),
    pytest.param(
        "    code: ../src",
        "    code: ../src\n    resources: {instance_cout: 1}",
        "17:17: error[MK0102]",
        id="a misspelt key of resources",
    ),
    pytest.param(
        "${{inputs.table}} --out", "${{inputs.tabel}} --out", "15:29: error[MK0301]", id="missing input in command"
    ),
    pytest.param("${{outputs.clean}}", "${{outputs.clena}}", "15:53: error[MK0301]", id="missing output in command"),
]


@pytest.fixture
def project(folder):
    folder.put("components/fit.yml", COMPONENT)
    folder.put("src/prep.py")
    return folder


def test_the_pipeline_and_its_component_are_sound(project):
    assert project.found(PIPELINE, "pipelines/train.yml") == []
    assert project.found(COMPONENT, "components/fit.yml") == []


@pytest.mark.parametrize(("written", "instead", "finding"), MISTAKES)
def test_one_mistake_is_one_finding_at_its_line(project, written, instead, finding):
    mistaken = PIPELINE.replace(written, instead, 1)
    if "prep-data" in instead:
        mistaken = mistaken.replace("jobs.prep.", "jobs.prep-data.")
    assert mistaken != PIPELINE
    (found,) = project.found(mistaken, "pipelines/train.yml")
    assert found.startswith(f"{finding}: ")
    assert len(found) < 250


def test_a_name_with_a_hyphen_is_offered_with_an_underscore(project):
    """R13: whether references use the name that is written or the one that is offered."""
    for references in ("jobs.prep-data.", "jobs.prep_data."):
        text = PIPELINE.replace("  prep:\n", "  prep-data:\n").replace("jobs.prep.", references)
        (found,) = project.found(text, "pipelines/train.yml")
        assert "`prep-data`" in found
        assert found.endswith("write `prep_data`")


def test_several_mistakes_are_all_told_in_the_order_of_the_file(project):
    text = PIPELINE
    for written, instead in [("code: ../src", "code: ../scr"), ("depth: 3", "depth: x"), ("loss: gini", "loss: x")]:
        text = text.replace(written, instead)
    found = project.found(text, "pipelines/train.yml")
    assert [line.split("]")[0].split("[")[1] for line in found] == ["MK0401", "MK0308", "MK0310"]


def test_a_type_of_a_value_in_a_job_says_that_jobs_give_values(project):
    text = PIPELINE.replace("rate: 0.1", "rate: {type: number, default: 0.1}")
    (found,) = project.found(text, "pipelines/train.yml")
    assert found.endswith("`number` is not a value of `type`; a job gives the value itself: write `rate: VALUE`")


def test_what_a_misspelt_section_holds_is_checked_as_it_was_meant(project):
    text = PIPELINE.replace("    inputs:\n      table: ${{parent.jobs", "    imputs:\n      table: ${{parent.jobs")
    found = project.found(text.replace("depth: 3", "depth: x"), "pipelines/train.yml")
    assert [line.split(": ")[1] for line in found] == ["warning[MK0102]", "error[MK0308]"]
