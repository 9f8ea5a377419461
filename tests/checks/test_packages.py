"""What is installed: requirements files, packages named twice, images that are not pinned."""

import pytest

ENVIRONMENT = "name: a\nimage: python:3.11\nconda_file: requirements.txt\n"


def _environment(folder, requirements, text=ENVIRONMENT, **given):
    folder.put("environments/requirements.txt", requirements)
    return [
        line.removeprefix(f"{folder.root}/environments/")
        for line in folder.found(text, "environments/a.yml", **given)
    ]  # fmt: skip


def test_a_requirements_file_may_stand_for_a_conda_file(folder):
    lines = (
        "# a comment\nnumpy==1.26.4\npandas>=2,<3  # inline\nfoo[a]==1; python_version < '3.12'\n"
        "--extra-index-url https://example.org/simple\n--pre\ngit+https://example.org/a.git@main\n"
        "pinned==1 \\\n  --hash=sha256:00\npkg @ https://example.org/pkg.whl\n"
    )
    assert _environment(folder, lines) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-e .", "`-e .` needs a folder of this machine"),
        ("-c pins.txt", "`-c pins.txt` needs a constraints file of this machine"),
        ("--find-links wheels", "`--find-links wheels` needs a folder of packages of this machine"),
        ("../mine", "`../mine` is a path of this machine"),
        ("mine.whl", "`mine.whl` is a path of this machine"),
        ("mine @ file:///x", "`mine @ file:///x` is a path of this machine"),
        ("-r other.txt", "there is no file"),
        ("-r requirements.txt", "requirements.txt takes itself in"),
        ("pandas=2.0", "`pandas=2.0` is not a requirement that pip reads"),
        ("--frobnicate", "`--frobnicate` is no option"),
    ],
)
def test_a_line_that_cannot_be_installed_elsewhere_is_found_at_its_line(folder, line, expected):
    (found,) = _environment(folder, f"numpy==1.26.4\n\n{line}\n")
    assert found.startswith("requirements.txt:3:1: error[MK0506]: ")
    assert expected in found


def test_a_fault_of_a_nested_file_is_found_there(folder):
    folder.put("environments/more.txt", "six\n-e .\n")
    (found,) = _environment(folder, "-r more.txt\n")
    assert found.startswith("more.txt:2:1: error[MK0506]")


def test_a_nested_file_outside_of_the_project_is_found(folder):
    (folder.root.parent / "outside.txt").write_text("six\n")
    (found,) = _environment(folder, "-r ../../outside.txt\n")
    assert "error[MK0402]" in found
    assert "leads out of the project" in found


def test_an_environment_inside_of_a_job_may_name_a_requirements_file(folder):
    folder.put("jobs/requirements.txt", "-e .\n")
    text = "command: echo\nenvironment: {image: python, conda_file: requirements.txt}\n"
    (found,) = folder.found(text)
    assert "requirements.txt:1:1: error[MK0506]" in found


def test_an_environment_that_a_job_names_as_a_file_is_checked_with_it(folder):
    folder.put("environments/requirements.txt", "-e .\n")
    folder.put("environments/a.yml", ENVIRONMENT)
    (found,) = folder.found("command: echo\nenvironment: file:../environments/a.yml\n")
    assert "environments/requirements.txt:1:1: error[MK0506]" in found


def test_a_component_file_that_needs_a_requirements_file_is_found_where_it_is_named(folder):
    folder.put("components/requirements.txt", "six\n")
    component = "name: c\ntype: command\ncommand: echo\nenvironment: {image: python, conda_file: requirements.txt}\n"
    folder.put("components/c.yml", component)
    text = "type: pipeline\njobs:\n  one:\n    component: ../components/c.yml\n"
    (found,) = folder.found(text)
    assert found.startswith("4:16: error[MK0507]: the component `../components/c.yml` needs a requirements file")


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        (
            "[python=3.11, numpy, numpy=1.26]",
            "3:49: error[MK0504]: `numpy=1.26` is there already, as `numpy` in line 3",
        ),
        ("[pip, {pip: [scikit-learn, scikit_learn==1.5]}]", "`scikit_learn==1.5` is there already"),
        ("[numpy, conda-forge::numpy]", "`conda-forge::numpy` is there already"),
    ],
)
def test_a_package_that_is_named_twice_is_found(folder, dependencies, expected):
    (found,) = folder.found(
        f"name: a\nimage: python\nconda_file: {{dependencies: {dependencies}}}\n", "environments/a.yml"
    )
    assert expected in found


def test_lines_for_different_machines_are_not_twice(folder):
    assert _environment(folder, "a==1; python_version < '3.12'\na==2; python_version >= '3.12'\n") == []


def test_a_requirements_file_that_names_a_package_twice_is_found(folder):
    (found,) = _environment(folder, "six==1.16.0\nSix==1.17.0\n")
    assert found.startswith("requirements.txt:2:1: error[MK0504]: `Six==1.17.0` is there already, as `six==1.16.0`")


@pytest.mark.parametrize(
    ("image", "advice"),
    [
        ("host:5000/name", "write `host:5000/name:TAG` or `host:5000/name@sha256:DIGEST`"),
        ("host:5000/team/name:latest", "write `host:5000/team/name:TAG`"),
        ("python", "write `python:TAG`"),
        ("'python:'", "write `python:TAG`"),
    ],
)
def test_an_image_that_is_not_pinned_is_an_error_in_a_protected_environment_only(folder, image, advice):
    text = f"name: a\nimage: {image}\n"
    (found,) = folder.found(text, "environments/a.yml", protected=True)
    assert found.startswith("2:8: error[MK0505]: the image ")
    assert advice in found
    assert folder.found(text, "environments/a.yml") == []


@pytest.mark.parametrize("image", ["python:3.11", "host:5000/a/name:1", f"host/name@sha256:{'0' * 64}", "a:latest-cpu"])
def test_a_pinned_image_passes_in_a_protected_environment(folder, image):
    assert folder.found(f"name: a\nimage: {image}\n", "environments/a.yml", protected=True) == []


def test_the_images_of_inline_environments_and_of_named_files_are_checked(folder):
    folder.put("environments/a.yml", "name: a\nimage: python\n")
    inline = folder.found("command: echo\nenvironment: {image: python}\n", protected=True)
    named = folder.found("command: echo\nenvironment: file:../environments/a.yml\n", protected=True)
    assert [line.partition("]")[0] for line in inline] == ["2:22: error[MK0505"]
    assert [line.partition("]")[0] for line in named] == [f"{folder.root}/environments/a.yml:2:8: error[MK0505"]


def test_an_input_that_is_called_component_names_no_file(folder):
    folder.put("jobs/requirements.txt", "six\n")
    component = "name: c\ntype: command\ncommand: echo\nenvironment: {image: python, conda_file: requirements.txt}\n"
    folder.put("jobs/c.yml", component)
    text = "command: echo ${{inputs.component}}\nenvironment: azureml:e@latest\ninputs: {component: ./c.yml}\n"
    assert not any("MK0507" in line for line in folder.found(text))
