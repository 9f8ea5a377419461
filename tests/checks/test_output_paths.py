"""R22: an output that every run writes to the same place is told, with a place of its own for each run."""

import pytest

JOB = "command: run ${{outputs.o}}\nenvironment: azureml:e@latest\noutputs:\n  o: {type: uri_folder, path: PATH}\n"
STEP = "type: pipeline\njobs:\n  a:\n" + "".join(f"    {line}\n" for line in JOB.splitlines())
FIXED = "azureml://datastores/ds/paths/pkg/scene-model"


@pytest.mark.parametrize(
    ("text", "path", "place", "offered"),
    [
        (JOB, FIXED, "4:31", f"{FIXED}/${{{{name}}}}/"),
        (JOB, f"{FIXED}/", "4:31", f"{FIXED}/${{{{name}}}}/"),
        (STEP, FIXED, "7:35", f"{FIXED}/${{{{name}}}}/"),
        (JOB.replace("uri_folder", "uri_file"), f"{FIXED}/a.csv", "4:29", f"{FIXED}/${{{{name}}}}/a.csv"),
    ],
)
def test_a_fixed_path_is_a_warning_with_the_form_to_write(folder, text, path, place, offered):
    (found,) = folder.found(text.replace("PATH", path))
    message = "every run writes output `o` to the same place, over what the last run wrote"
    assert found == f"{place}: warning[MK0325]: {message}; write `{offered}`"


@pytest.mark.parametrize("part", ["${{name}}", "${{parent.name}}", "${var.run}"])
def test_a_path_with_a_part_that_is_filled_in_passes(folder, part):
    path = f"'azureml://datastores/ds/paths/pkg/{part}/'"
    assert [line for line in folder.found(JOB.replace("PATH", path)) if "MK0325" in line] == []


def test_the_form_that_is_offered_loads_in_the_sdk(folder):
    from azure.ai.ml import load_job

    path = folder.put("job.yml", JOB.replace("PATH", f"'{FIXED}/${{{{name}}}}/'") + "compute: azureml:cpu\n")
    job = load_job(path)
    assert job.outputs["o"].path == f"{FIXED}/${{{{name}}}}/"


def test_outputs_without_a_path_are_unique_already(folder):
    assert folder.found(JOB.replace(", path: PATH", "")) == []


def test_inputs_may_well_come_from_a_fixed_path(folder):
    text = "command: run ${{inputs.o}}\nenvironment: azureml:e@latest\ninputs:\n  o: {type: uri_folder, path: PATH}\n"
    assert folder.found(text.replace("PATH", FIXED)) == []
