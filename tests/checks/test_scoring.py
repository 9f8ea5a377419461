"""Scripts that the service calls: online (L7-13), in batches (L8-03), and what is found without running them (R31)."""

import re

import pytest

DEPLOYMENT = """\
name: blue
endpoint_name: churn
instance_type: Standard_DS3_v2
model: azureml:churn:1
environment: azureml:sklearn:3
code_configuration:
  code: ../src
  scoring_script: score.py
"""
BATCH = DEPLOYMENT.replace("instance_type: Standard_DS3_v2", "type: model\ncompute: azureml:cpu-cluster")
INIT = "def init():\n    pass\n"


def _found(folder, script, deployment=DEPLOYMENT):
    folder.put("src/score.py", script)
    return folder.found(deployment, "endpoints/blue.yml")


def test_r31_l7_13_a_missing_script_is_found_once_and_its_neighbour_offered(folder):
    folder.put("src/scores.py", INIT)
    assert folder.found(DEPLOYMENT, "endpoints/blue.yml") == [
        "8:19: error[MK0401]: file `score.py` does not exist; did you mean `scores.py`"
    ]


@pytest.mark.parametrize(
    "script",
    [
        INIT + "def run(data):\n    return data\n",
        INIT + "async def run(data):\n    return data\n",
        INIT + "run = print\n",
        "from answers import init, run\n",
        "from answers import *\n",
        "import answers as run\ninit = lambda: None\n",
        INIT + "@input_schema('data', sample)\ndef run(data, threshold):\n    return data\n",
        INIT + "def run(data, threshold=0.5):\n    return data\n",
        INIT + "def run(*data):\n    return data\n",
        "try:\n    from fast import run\nexcept ImportError:\n    def run(data):\n        return 1\n" + INIT,
        "if True:\n    def run(data):\n        return 1\nelse:\n    pass\n" + INIT,
        INIT + "class run:\n    def __init__(self, data):\n        pass\n",
        INIT + "init, run = init, print\n",
        INIT + "run: object = print\n",
        "with open('a'):\n    run = print\n" + INIT,
    ],
)
def test_a_script_whose_functions_are_there_in_any_way_passes(folder, script):
    assert _found(folder, script) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (INIT, "`score.py` has no function `run`; define `run(data)`, which the service calls"),
        (
            "def run(data):\n    return 1\n",
            "`score.py` has no function `init`; define `init()`, which the service calls",
        ),
        (INIT + "def Run(data):\n    return 1\n", "`score.py` has no function `run`; did you mean `Run`"),
        (INIT + "def outer():\n    def run(data):\n        return 1\n", "has no function `run`"),
        (INIT + "print(run)\n", "has no function `run`"),
    ],
)
def test_r31_a_function_that_the_service_calls_is_missed(folder, script, message):
    (found,) = _found(folder, script)
    assert found.startswith("8:19: error[MK1001]: ")
    assert message in found


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (INIT + "def run():\n    return 1\n", "`run` in line 3 of `score.py` cannot be called as `run(data)`"),
        (INIT + "def run(data, b):\n    return 1\n", "`run` in line 3"),
        (INIT + "def run(data, *, b):\n    return 1\n", "`run` in line 3"),
        (
            "def init(path):\n    pass\ndef run(data):\n    return 1\n",
            "`init` in line 1 of `score.py` cannot be called",
        ),
    ],
)
def test_a_function_that_cannot_be_called_with_what_the_service_has_is_found(folder, script, message):
    (found,) = _found(folder, script)
    assert found.startswith("8:19: error[MK1002]: ")
    assert message in found


@pytest.mark.parametrize("script", ["def run(data)\n    return 1\n", "x = '\0'\n", "(" * 5000, "-" * 200_000 + "1"])
def test_what_is_no_python_is_said_without_a_traceback(folder, script):
    (found,) = _found(folder, script)
    assert re.match(r"8:19: error\[MK1003\]: `score.py` is no Python: \w", found)


def test_a_script_is_not_run_and_warns_of_nothing(folder, recwarn):
    mark = folder.root / "ran"
    script = f"open({str(mark)!r}, 'w')\npattern = '\\d'\n{INIT}def run(data):\n    return 1\n"
    assert _found(folder, script) == []
    assert not mark.exists()
    assert not recwarn.list


def test_scripts_in_other_languages_are_left_alone(folder):
    folder.put("src/plumber.R", "function(x) x")
    assert folder.found(DEPLOYMENT.replace("score.py", "plumber.R"), "endpoints/blue.yml") == []


def test_a_script_outside_of_the_project_is_not_read(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "score.py").write_text("not python at all")
    (folder.root / "src").symlink_to(outside)
    found = folder.found(DEPLOYMENT, "endpoints/blue.yml")
    assert found
    assert all("MK0402" in line for line in found)


@pytest.mark.parametrize(
    "body", ["print(data)", "def inner():\n        return 1", "return", "data.sort()", "x = lambda: (yield)"]
)
def test_l8_03_what_run_of_a_batch_returns_is_counted_so_it_must_return_something(folder, body):
    (found,) = _found(folder, f"{INIT}def run(data):\n    {body}\n", BATCH)
    assert found.startswith("9:19: error[MK1002]: `run` in line 3 of `score.py` returns nothing; return a list or a")


@pytest.mark.parametrize("body", ["return data", "raise NotImplementedError", "yield 1", "if data:\n        return 1"])
def test_l8_03_a_run_of_a_batch_that_returns_or_raises_passes(folder, body):
    assert _found(folder, f"{INIT}def run(data):\n    {body}\n", BATCH) == []


def test_an_online_run_may_return_nothing(folder):
    assert _found(folder, f"{INIT}def run(data):\n    print(data)\n") == []


def test_l7_13_half_of_the_code_is_found(folder):
    folder.put("src/score.py", INIT)
    assert folder.found(DEPLOYMENT.replace("  code: ../src\n", ""), "endpoints/blue.yml") == [
        "6:1: error[MK1004]: `code_configuration` has no `code`; name the folder that ships"
    ]
    assert folder.found(DEPLOYMENT.replace("  scoring_script: score.py\n", ""), "endpoints/blue.yml") == [
        (
            "6:1: error[MK1004]: `code_configuration` has no `scoring_script`;"
            " name the script in the folder, such as `score.py`"
        )
    ]
