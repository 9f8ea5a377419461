"""Environment variables, commands, environments."""

JOB = "command: echo\nenvironment: azureml:sklearn@latest\n"


def test_an_environment_variable_is_text_and_not_null(folder):
    text = JOB + 'environment_variables: {FLAG: true, N: 5, R: 1.25, E: "", Z: ~}\n'
    assert folder.found(text) == [
        '3:59: error[MK0601]: environment variable `Z` has no value; write "" for an empty text'
    ]


def test_a_carriage_return_in_a_command_is_found(folder):
    (found,) = folder.found('command: "echo one\\r\\necho two"\nenvironment: azureml:sklearn@latest\n')
    assert "error[MK0602]: the command holds a carriage return" in found


def test_a_backslash_that_does_not_end_its_line_is_found(folder):
    (found,) = folder.found("command: |\n  python a.py \\ \n    --b 1\nenvironment: azureml:sklearn@latest\n")
    assert found.startswith("2:15: error[MK0602]")


def test_packages_of_the_retired_sdk_are_warned_of_in_the_conda_file(folder):
    folder.put(
        "environments/conda.yml", "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - azureml-defaults==1.60\n"
    )
    text = "name: a\nimage: python:3.11\nconda_file: conda.yml\n"
    (found,) = folder.found(text, "environments/a.yml")
    assert found.startswith(f"{folder.root}/environments/conda.yml:5:9: warning[MK0502]: `azureml-defaults==1.60`")
    assert "azureml-inference-server-http" in found


def test_a_conda_file_needs_an_image(folder):
    text = "name: a\nconda_file:\n  dependencies:\n    - python=3.11\n"
    (found,) = folder.found(text, "environments/a.yml")
    assert found.startswith("3:3: error[MK0503]")


def test_a_step_that_names_no_environment_is_found(folder):
    assert folder.found("type: pipeline\njobs:\n  fit:\n    type: command\n    command: echo\n") == [
        "3:3: error[MK0501]: step `fit` has no environment; add the key `environment`"
    ]
