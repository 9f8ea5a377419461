"""Conda files: names, specifiers, interpreters, pip beside its list, packages that quarrel."""

import time

import pytest

from mlops_kit.checks import packages, retired


def _conda(*lines, pip=()):
    """Return a conda file with these dependencies; ``pip`` is a list of its own, with pip itself."""
    listed = [f"  - {line}\n" for line in lines]
    inner = ["  - pip\n  - pip:\n", *(f"      - {line}\n" for line in pip)] if pip else []
    return "".join(["dependencies:\n", *listed, *inner])


def _found(folder, text):
    return folder.found(text, "environments/conda.yml")


def test_r18_the_four_faults_of_a_broken_environment_are_found_at_their_lines(folder):
    text = (
        "name: broken\nchannels: [conda-forge]\ndependencies:\n  - python=3.1\n  - numpy=1.26\n"
        "  - pip:\n      - sklearn\n      - numpy==2.0\n"
    )
    found = sorted(_found(folder, text))
    assert [line.partition(": ")[0] for line in found] == ["4:5", "6:5", "7:9", "8:9"]
    assert [line.partition("[")[2][:6] for line in found] == ["MK0509", "MK0512", "MK0508", "MK0511"]
    assert "did you mean `python=3.10`" in found[0]
    assert "pip itself is not a dependency" in found[1]
    assert "there is no package `sklearn` for pip; write `scikit-learn`" in found[2]
    assert "`numpy==2.0` is installed by conda already, as `numpy=1.26` in line 5" in found[3]


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "numpy=1.26",
        "numpy==1.26.4",
        "numpy=1.26.4=py311h64a7726_0",
        "numpy 1.26.*",
        "numpy >=1.26,<2",
        "numpy>=1.26, <2",
        "numpy~=1.26",
        "numpy!=1.25",
        "conda-forge::numpy=1.26",
        "conda-forge/linux-64::numpy",
        "'numpy[version=\">=1.26\"]'",
        "numpy 1.26.4 py311_0",
        "numpy=1.26|1.25",
        "_libgcc_mutex=0.1=main",
        "https://conda.anaconda.org/x/linux-64/a-1.0-0.tar.bz2",
        "pytorch::pytorch=2.5=*cuda*",
        "r-base=4.4",
    ],
)
def test_specifications_of_conda_pass(folder, line):
    assert _found(folder, _conda(line)) == []


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("numpy=>1.26", "write `numpy>=1.26`"),
        ("numpy=<2", "write `numpy<=2`"),
        ("pandas[parquet]", "put the line under `pip:`"),
        ("pandas; python_version<'3.12'", "put the line under `pip:`"),
        ("numpy>", "expected NAME, NAME=VERSION or NAME>=VERSION"),
        ("numpy: 1.26", "write `numpy=1.26`"),
    ],
)
def test_a_line_that_conda_cannot_read_is_answered_with_what_it_reads(folder, line, hint):
    (found,) = _found(folder, _conda(line))
    assert found.startswith("2:5: error[MK0513]: ")
    assert found.endswith(hint)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("numpy=1.26", "`numpy=1.26` is not a requirement that pip reads; write `numpy==1.26`"),
        ("numpy=>1.26", "expected NAME==VERSION or the like"),
        ("-r requirements.txt", "needs a requirements file of this machine"),
        ("-e .", "needs a folder of this machine"),
        ("./mine.whl", "is a path of this machine"),
    ],
)
def test_a_line_that_pip_cannot_read_there_is_found(folder, line, expected):
    (found,) = _found(folder, _conda("python=3.12", pip=[line]))
    assert found.startswith("5:9: error[MK0506]: ")
    assert expected in found


@pytest.mark.parametrize(
    "line", ["--extra-index-url=https://host/", "numpy~=1.26", "a @ https://host/a.whl", "a[b]>1,<2"]
)
def test_lines_of_pip_pass(folder, line):
    assert _found(folder, _conda("python=3.12", pip=[line])) == []


@pytest.mark.parametrize(
    "pin", ["python=3.7.6", "python==3.8", "python 3.9.*", "python<3.9", "python>=3.6,<3.8", "python~=3.8.1"]
)
def test_r20_an_interpreter_without_support_is_warned_of(folder, pin):
    (found,) = _found(folder, _conda(pin))
    assert found.startswith("2:5: warning[MK0510]: the support of Python 3.")
    assert found.endswith("take 3.11 or above")


@pytest.mark.parametrize(
    "pin", ["python", "python=3", "python>=3.7", "python=3.12", "python<4", "python<=3.13", "python=3.11.4=h_0"]
)
def test_an_interpreter_that_may_be_a_current_one_passes(folder, pin):
    assert _found(folder, _conda(pin)) == []


@pytest.mark.parametrize(
    ("pin", "hint"),
    [
        ("python=3.1", "did you mean `python=3.10`"),
        ("python=311", "did you mean `python=3.11`"),
        ("python=3.99", "name a release such as 3.12"),
        ("python==4.0", "name a release such as 3.12"),
        ("python=3.3", "name a release such as 3.12"),
    ],
)
def test_r18_an_interpreter_that_does_not_exist_is_found(folder, pin, hint):
    (found,) = _found(folder, _conda(pin))
    assert found.startswith("2:5: error[MK0509]: there is no Python ")
    assert found.endswith(hint)


def test_r20_mlflow_3_5_beside_the_plugin_that_does_not_know_it_is_found(folder):
    (found,) = _found(folder, _conda("python=3.11", pip=["mlflow==3.5.0", "azureml-mlflow==1.60.0"]))
    assert found == (
        "6:9: error[MK0514]: `azureml-mlflow==1.60.0` beside `mlflow==3.5.0` fails to log artifacts; ask for `mlflow<3`"
    )


@pytest.mark.parametrize(
    "pip",
    [
        ("mlflow==3.1.1", "azureml-mlflow==1.60.0"),
        ("mlflow==3.5.0", "azureml-mlflow==1.61.0"),
        ("mlflow", "azureml-mlflow"),
        ("numpy==2.2", "scikit-learn==1.4.2"),
        ("numpy<2", "pandas==2.1"),
        ("numpy>=1.26", "scikit-learn==1.2"),
    ],
)
def test_pins_that_may_go_together_pass(folder, pip):
    assert _found(folder, _conda("python=3.11", pip=pip)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("numpy==2.0.1", "scikit-learn==1.3.2"),
        ("numpy>=2", "pandas<=2.2.1"),
        ("numpy~=2.1", "scipy==1.12.0"),
        ("mlflow-skinny>=3.5", "azureml-mlflow<=1.60"),
        ("mlflow==2.22.4", "azureml-mlflow==1.61.0"),
    ],
)
def test_pins_that_quarrel_are_found_at_the_second(folder, first, second):
    (found,) = _found(folder, _conda("python=3.11", pip=[first, second]))
    assert found.startswith(f"6:9: error[MK0514]: `{second}` beside `{first}`")


def test_a_quarrel_may_be_one_with_the_interpreter(folder):
    (found,) = _found(folder, _conda("python=3.12", "numpy=1.24"))
    assert found.startswith("3:5: error[MK0514]: `numpy=1.24` beside `python=3.12` cannot be installed")


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("sklearn==1.5", "scikit-learn==1.5"),
        ("cv2", "opencv-python"),
        ("yaml", "pyyaml"),
        ("PIL", "pillow"),
        ("skimage", "scikit-image"),
        ("dateutil", "python-dateutil"),
        ("pytorch", "torch"),
    ],
)
def test_r18_a_name_that_is_imported_is_answered_with_the_one_that_is_installed(folder, line, right):
    (found,) = _found(folder, _conda("python=3.12", pip=[line]))
    assert "error[MK0508]" in found
    assert found.endswith(f"write `{right}`")


@pytest.mark.parametrize(
    ("line", "right"), [("bs4", "beautifulsoup4"), ("dotenv", "python-dotenv"), ("jwt>=1", "pyjwt>=1")]
)
def test_a_name_that_another_project_has_is_a_warning(folder, line, right):
    (found,) = _found(folder, _conda("python=3.12", pip=[line]))
    assert "warning[MK0508]" in found
    assert found.endswith(f"write `{right}`")


def test_conda_has_names_of_its_own(folder):
    assert [line.rpartition("; ")[2] for line in _found(folder, _conda("torch", "cv2"))] == [
        "write `pytorch`",
        "write `opencv`",
    ]
    # as conda exports them: libraries in C
    assert _found(folder, _conda("yaml=0.2.5=h7b6447c_0", "attr=2.5", "git", "pytorch=2.5", "opencv")) == []


def test_no_wrong_name_is_the_right_name_of_another():
    right = {(each.pip, "pip") for each in packages.IMPORTED.values()}
    right |= {(each.conda, "conda") for each in packages.IMPORTED.values()}
    wrong = {(name, "pip") for name, each in packages.IMPORTED.items() if each.pip}
    wrong |= {(name, "conda") for name, each in packages.IMPORTED.items() if each.conda}
    assert right & wrong == set()


@pytest.mark.parametrize("text", ["numpy=1.26", "numpy"])
def test_n3_l5_05_a_package_in_both_lists_is_an_error_even_without_pins(folder, text):
    (found,) = _found(folder, _conda("python=3.12", text, pip=["NumPy"]))
    assert found.startswith("6:9: error[MK0511]: `NumPy` is installed by conda already, as `")


def test_lists_without_a_common_package_pass(folder):
    assert _found(folder, _conda("python=3.12", "scikit-learn", "pandas", "numpy", pip=["mlflow", "fairlearn"])) == []


def test_packages_under_a_key_of_their_own_are_told_to_be_passed_over(folder):
    (found,) = _found(folder, "dependencies: [python=3.12]\npip: [numpy]\n")
    assert found.startswith("2:1: error[MK0102]: `pip` is no key of a conda file")


@pytest.mark.parametrize("name", sorted(retired.PACKAGES.keys() - retired.FOR_BATCHES))
def test_l2_33_l3_05_l12_14_packages_of_the_retired_sdk_are_warned_of_with_what_replaces_them(folder, name):
    (found,) = _found(folder, _conda("python=3.12", pip=[f"{name}==1.0"]))
    assert found == f"5:9: warning[MK0502]: `{name}==1.0` belongs to the retired SDK; {retired.PACKAGES[name]}"


def test_azureml_core_is_warned_of_where_no_mini_batches_run(folder):
    folder.put("environments/conda.yml", _conda("python=3.12", pip=["azureml-core"]))
    environment = "{image: python, conda_file: ../environments/conda.yml}"
    (found,) = folder.found(f"command: echo\nenvironment: {environment}\n")
    assert "environments/conda.yml:5:9: warning[MK0502]: `azureml-core` belongs to the retired SDK" in found
    batch = (
        f"endpoint_name: scores\nname: blue\nmodel: azureml:m@latest\ncompute: azureml:c\nenvironment: {environment}\n"
    )
    assert [line for line in folder.found(batch, "deployments/blue.yml") if "MK05" in line] == []
    assert _found(folder, _conda("python=3.12", pip=["azureml-core"])) == []


def test_an_inline_specification_gets_the_same_checks_at_its_own_lines(folder):
    text = (
        "command: echo\nenvironment:\n  image: python:3.12\n  conda_file:\n    dependencies:\n"
        "      - python=3.7\n      - pip\n      - pip:\n          - sklearn\n"
    )
    assert [line.partition("]")[0] for line in folder.found(text)] == ["6:9: warning[MK0510", "9:13: error[MK0508"]


def test_a_requirements_file_gets_the_checks_of_packages(folder):
    folder.put("environments/requirements.txt", "sklearn\nnumpy==2.0\npandas==2.0\n")
    text = "name: a\nimage: python\nconda_file: requirements.txt\n"
    found = [line.rpartition("requirements.txt:")[2] for line in folder.found(text, "environments/a.yml")]
    assert [line.partition("]")[0] for line in found] == ["1:1: error[MK0508", "3:1: error[MK0514"]


def test_the_python_env_of_an_mlflow_model_is_no_conda_file(folder):
    text = "python: 3.8.16\nbuild_dependencies: [pip]\ndependencies:\n  - -r requirements.txt\n"
    assert not any("MK05" in line for line in folder.found(text, "model/python_env.yaml"))


@pytest.mark.parametrize("line", ["python=" + "9" * 6000, "numpy==" + "1." * 6000, "numpy=" + " " * 6000, "[a" * 6000])
def test_a_line_of_any_length_is_read_at_once(folder, line):
    began = time.process_time()
    _found(folder, _conda(f"'{line}'", pip=[f"'{line}'"]))
    assert time.process_time() - began < 1
