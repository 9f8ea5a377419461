"""The shipped JSON schemas are those of the installed SDK, and say what the SDK says."""

import json
import subprocess
import sys

import pytest

from mlops_kit import schemas
from mlops_kit.schemas import generate


@pytest.fixture(scope="module")
def generated():
    # In a process of its own: other tests' use of the SDK leaves traces in its schema classes.
    program = "import json; from mlops_kit.schemas import generate; print(json.dumps(generate.generate()))"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def test_every_kind_has_a_shipped_schema_and_every_shipped_schema_a_kind(generated):
    assert set(schemas.kinds()) - set(generated) == {"environment"}  # the one that is written by hand


def test_shipped_schemas_are_those_of_the_installed_sdk(generated):
    stale = [
        kind
        for kind, schema in generated.items()
        if (schemas.FOLDER / f"{kind}.json").read_text() != generate.text(schema)
    ]
    assert stale == [], "run python -m mlops_kit.schemas.generate"


def test_a_command_job_requires_its_command_and_environment():
    assert schemas.read("command_job")["required"] == ["command", "environment"]


def test_a_step_of_a_pipeline_is_chosen_by_its_type():
    jobs = schemas.read("pipeline_job")["properties"]["jobs"]
    union = jobs["additionalProperties"]
    assert union["x-by"]["key"] == "type"
    assert {"command", "sweep", "parallel", "automl", "spark"} <= set(union["x-by"]["choose"])


def test_classes_that_share_a_name_keep_their_own_definitions():
    definitions = schemas.read("automl_text_ner")["$defs"]
    values = [body["properties"]["values"] for name, body in definitions.items() if name.startswith("CustomChoice")]
    assert len(values) > 1
    assert len({str(value) for value in values}) == len(values)
