"""References point to what is declared; inputs are used; steps and components agree."""

import pytest

from mlops_kit import checks, documents

PIPELINE = """\
type: pipeline
inputs:
  rate: 0.1
jobs:
  prep:
    command: echo > ${{outputs.table}}
    environment: azureml:sklearn@latest
    outputs:
      table:
        type: uri_file
  fit:
    command: fit ${{inputs.table}} ${{inputs.rate}}
    environment: azureml:sklearn@latest
    inputs:
      table: ${{parent.jobs.prep.outputs.table}}
      rate: ${{parent.inputs.rate}}
"""
COMPONENT = """\
type: command
name: fit
version: "1"
command: fit ${{inputs.table}} $[[--rate ${{inputs.rate}}]] ${{inputs.depth}} --out ${{outputs.model}}
environment: azureml:sklearn@latest
inputs:
  table:
    type: uri_file
  rate:
    type: number
    optional: true
  depth:
    type: integer
    default: 3
outputs:
  model:
    type: uri_folder
"""


def test_references_that_are_declared_pass(folder):
    assert folder.found(PIPELINE) == []


def test_a_misspelt_input_is_one_fault_at_its_line_in_the_command(folder):
    text = """\
    command: |
      echo one
      echo ${{inputs.raet}}
    environment: azureml:sklearn@latest
    inputs:
      rate: 1
    """
    assert folder.found(text) == [
        "3:8: error[MK0301]: `${{inputs.raet}}` points to nothing that is declared; did you mean `rate`"
    ]


def test_an_input_that_no_misspelt_reference_means_is_a_fault_of_its_own(folder):
    text = """\
    command: echo ${{inputs.raet}}
    environment: azureml:sklearn@latest
    inputs:
      rate: 1
      depth: 2
    """
    found = folder.found(text)
    assert found[0].startswith("1:15: error[MK0301]")
    assert found[1:] == ["5:3: warning[MK0302]: input `depth` is declared and not used"]


def test_an_undeclared_output_says_what_is_declared(folder):
    text = "command: echo > ${{outputs.x}}\nenvironment: azureml:sklearn@latest\n"
    assert folder.found(text) == [
        "1:17: error[MK0301]: `${{outputs.x}}` points to nothing that is declared; declared outputs: none"
    ]


def test_a_parameter_outside_of_a_sweep_has_no_search_space(folder):
    text = "command: echo ${{search_space.x}}\nenvironment: azureml:sklearn@latest\n"
    (found,) = folder.found(text)
    assert "`${{search_space.x}}` points to nothing" in found


def test_names_filled_in_by_the_service_pass(folder):
    text = """\
    command: echo > ${{outputs.x}}
    environment: azureml:sklearn@latest
    outputs:
      x:
        type: uri_folder
        path: azureml://datastores/${{default_datastore}}/paths/${{name}}/x
    """
    assert folder.found(text) == []


def test_a_step_that_is_not_there_is_found(folder):
    (found,) = folder.found(PIPELINE.replace("jobs.prep.outputs", "jobs.prepp.outputs"))
    assert found.endswith(
        "`${{parent.jobs.prepp.outputs.table}}` points to nothing that is declared; did you mean `prep`"
    )
    assert found.startswith("15:")


def test_an_output_that_a_step_does_not_have_is_found(folder):
    (found,) = folder.found(PIPELINE.replace("outputs.table}}\n      rate", "outputs.tabel}}\n      rate"))
    assert found.endswith("did you mean `table`")


def test_a_pipeline_input_that_is_not_declared_is_found(folder):
    (found,) = folder.found(PIPELINE.replace("parent.inputs.rate", "parent.inputs.speed"))
    assert found.endswith("`${{parent.inputs.speed}}` points to nothing that is declared; declared inputs: rate")


def test_a_step_is_held_to_its_component(folder):
    folder.put("components/fit.yml", COMPONENT)
    text = """\
    type: pipeline
    jobs:
      fit:
        type: command
        component: ../components/fit.yml
        inputs:
          rat: 0.1
    """
    assert folder.found(text) == [
        "4:5: error[MK0304]: the component requires the input `table`; give it under `inputs`",
        "7:7: error[MK0303]: the component has no input `rat`; did you mean `rate`",
    ]


def test_the_outputs_of_a_component_can_be_bound(folder):
    folder.put("components/fit.yml", COMPONENT)
    text = """\
    type: pipeline
    jobs:
      fit:
        type: command
        component: file:../components/fit.yml
        inputs:
          table:
            type: uri_file
            path: azureml:table:1
      use:
        command: echo ${{inputs.model}}
        environment: azureml:sklearn@latest
        inputs:
          model: ${{parent.jobs.fit.outputs.%s}}
    """
    assert folder.found(text % "model") == []
    (found,) = folder.found(text % "modle")
    assert found.endswith("did you mean `model`")


def test_the_trial_of_a_sweep_sees_inputs_and_search_space(folder):
    text = """\
    type: sweep
    trial:
      command: fit ${{inputs.a}} ${{search_space.b}} ${{search_space.c}}
      environment: azureml:sklearn@latest
    inputs:
      a: 1
    sampling_algorithm: random
    search_space:
      b:
        type: uniform
        min_value: 0.1
        max_value: 1
    objective:
      goal: maximize
      primary_metric: AUC
    limits:
      max_total_trials: 2
    """
    (found,) = folder.found(text)
    assert "`${{search_space.c}}`" in found


def test_an_optional_input_outside_of_a_group_is_an_error(folder):
    text = COMPONENT.replace("$[[--rate ${{inputs.rate}}]]", "--rate ${{inputs.rate}}")
    assert folder.found(text, "components/fit.yml") == [
        (
            "4:39: error[MK0305]: the input `rate` is optional and stands outside of a $[[ ]] group; "
            "write `$[[--rate ${{inputs.rate}}]]`"
        )
    ]


def test_an_optional_input_inside_of_a_group_passes(folder):
    assert folder.found(COMPONENT, "components/fit.yml") == []


def test_a_group_that_is_glued_to_its_neighbour_is_a_warning(folder):
    text = COMPONENT.replace("}} $[[--rate ${{inputs.rate}}]] ", "}}$[[--rate${{inputs.rate}}]] ")
    assert folder.found(text, "components/fit.yml") == [
        "4:31: warning[MK0306]: `$[[--rate${{inputs.rate}}]]` touches the next word; put a blank on both sides",
        "4:34: warning[MK0306]: no blank between `--rate` and its value; write `--rate ${{`",
    ]


@pytest.mark.parametrize("written", ["inputs.rate", "jobs.prep.outputs.table"])
def test_a_binding_without_parent_is_told_how_it_is_written(folder, written):
    """The SDK refuses the form of its preview, too."""
    (found,) = folder.found(PIPELINE.replace(f"${{{{parent.{written}}}}}", f"${{{{{written}}}}}"))
    assert "error[MK0301]" in found
    assert found.endswith(f"`${{{{{written}}}}}` points to nothing that is declared; write `${{{{parent.{written}}}}}`")


def test_the_input_of_another_step_cannot_be_read(folder):
    (found,) = folder.found(PIPELINE.replace("prep.outputs.table}}\n      rate", "prep.inputs.x}}\n      rate"))
    assert found.endswith("points to nothing that is declared; did you mean `outputs`")
    (found,) = folder.found(PIPELINE.replace("prep.outputs.table}}\n      rate", "prep}}\n      rate"))
    assert found.endswith("points to nothing that is declared; a step can read the `outputs` of another")


@pytest.mark.parametrize(
    ("written", "mistaken", "place"),
    [
        ("${{inputs.table}}", "${{inputs.table}", "12:18"),
        ("${{inputs.rate}}", "${{ inputs.rate ", "12:36"),
        ("${{parent.inputs.rate}}", "${{parent.inputs.rate}", "16:13"),
    ],
)
def test_a_reference_without_its_end_is_one_finding(folder, written, mistaken, place):
    (found,) = folder.found(PIPELINE.replace(written, mistaken))
    assert found.startswith(f"{place}: error[MK0323]: `{mistaken.rstrip()}` lacks its end; write `{written}`")


def test_a_component_that_is_written_in_a_step_has_inputs_of_its_own(folder):
    text = """\
    type: pipeline
    jobs:
      a:
        component:
          command: run ${{inputs.a}} ${{inputs.b}}
          environment: azureml:e@latest
          inputs:
            a: {type: string}
            c: {type: string, default: x}
            d: {type: string, default: x}
        inputs: {a: 1}
    """
    assert folder.found(text) == [
        "5:34: error[MK0301]: `${{inputs.b}}` points to nothing that is declared; declared inputs: a, c, d",
        "9:9: warning[MK0302]: input `c` is declared and not used",
        "10:9: warning[MK0302]: input `d` is declared and not used",
    ]


def test_the_trial_that_is_written_in_a_step_declares_what_it_is_given(folder):
    """R29: the SDK drops, without a word, inputs that the trial does not declare."""
    text = """\
    type: pipeline
    jobs:
      a:
        type: sweep
        trial:
          command: run ${{inputs.a}} ${{search_space.b}} ${{inputs.c}}
          environment: azureml:e@latest
          inputs: {a: {type: integer}}
        inputs: {a: 1}
        sampling_algorithm: random
        search_space: {b: {type: choice, values: [1, 2]}}
        objective: {goal: maximize, primary_metric: AUC}
        limits: {max_total_trials: 2}
    """
    (found,) = folder.found(text)
    assert found == "6:54: error[MK0301]: `${{inputs.c}}` points to nothing that is declared; declared inputs: a"
    undeclared = text.replace(" ${{inputs.c}}", "").replace("          inputs: {a: {type: integer}}\n", "")
    assert folder.found(undeclared) == ["8:14: error[MK0303]: the component has no input `a`; declared inputs: none"]


def test_the_outputs_of_a_step_in_a_file_of_its_own_are_not_guessed_at(folder):
    text = """\
    type: pipeline
    inputs: {n: 1}
    outputs: {o: {type: uri_folder}}
    jobs:
      a: file:./a.yml
      b:
        command: run ${{inputs.x}}
        environment: azureml:e@latest
        inputs: {x: "${{parent.jobs.a.outputs.y}}"}
    """
    assert [line for line in folder.found(text) if "MK03" in line] == []


@pytest.mark.parametrize(
    ("written", "mistaken"),
    [("${{parent.inputs.rate}}", "${{ inputs.rate }}"), ("${{parent.inputs.rate}}", "${{parent.inputs.rate}")],
)
def test_what_is_surely_meant_is_offered_as_an_edit(folder, written, mistaken):
    path = folder.put("jobs/p.yml", PIPELINE.replace(written, mistaken))
    [document] = documents.load(path)
    [found] = checks.check(document.root, path, checks.Files(folder.root))
    assert found.edit
    assert path.read_text().replace(found.edit.old, found.edit.new) == PIPELINE


def test_inputs_that_the_service_itself_reads_need_no_reference(folder):
    text = """\
    type: data_transfer
    name: copy
    task: copy_data
    data_copy_mode: merge_with_overwrite
    inputs:
      one: {type: uri_folder}
      other: {type: uri_folder}
    outputs:
      both: {type: uri_folder}
    """
    assert folder.found(text, "components/copy.yml") == []
