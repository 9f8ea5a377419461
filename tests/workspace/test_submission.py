"""What a job carries of how it was made."""

from mlops_kit.scalars import WrittenFloat
from mlops_kit.workspace.submission import LONGEST, Submission, as_properties, of, shown

MADE = Submission(
    "templates/jobs/train.yml",
    "local",
    {"rate": WrittenFloat(0.1, "0.10"), "text": "no", "lines": "a\nb", "list": [1, "1"], "none": None},
    {"env.compute": "gpu", "tags.x": "0.10"},
    "abc",
    ("environment_variables.LOGIN", "command"),
)


def test_submission_comes_back_from_its_properties_as_it_was():
    found = of({**as_properties(MADE), "other": "x"})
    assert found == MADE
    assert found.parameters["rate"].text == "0.10"


def test_long_text_goes_on_in_further_properties():
    made = Submission("t", "local", {"long": "x" * 2500})
    properties = as_properties(made)
    assert [len(properties[f"mlops_kit.parameters{end}"]) for end in ("", ".1")] == [LONGEST, LONGEST]
    assert of(properties) == made


def test_what_is_not_there_makes_no_property():
    assert as_properties(Submission("t", "local")) == {"mlops_kit.template": "t", "mlops_kit.environment": "local"}


def test_properties_of_another_tool_say_nothing():
    assert of({"azureml.git.branch": "main"}) is None
    assert of(None) is None
    assert shown({}) == {}
