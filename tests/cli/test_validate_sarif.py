"""``validate -o sarif``: a log of SARIF 2.1.0, held to the parts of its schema that such a log uses."""

import json

import pytest
from jsonschema import Draft7Validator

from mlops_kit.checks import codes

# Written from the text of the standard: the objects that a log of findings uses, and nothing else in them.
TEXT = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}}}
MESSAGE = {**TEXT, "required": ["text"], "additionalProperties": False}
ARTIFACT = {
    "properties": {
        "uri": {"type": "string", "pattern": r"^[A-Za-z0-9:/._~%-]+$"},  # RFC 3986, no blank
        "uriBaseId": {"const": "%SRCROOT%"},
    },
    "required": ["uri"],
    "additionalProperties": False,
}
REGION = {
    "properties": {name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn")},
    "required": ["startLine"],
    "additionalProperties": False,
}
LOCATION = {
    "properties": {
        "physicalLocation": {
            "properties": {"artifactLocation": ARTIFACT, "region": REGION},
            "required": ["artifactLocation"],
            "additionalProperties": False,
        },
        "logicalLocations": {"items": {"required": ["fullyQualifiedName"]}},
    },
    "additionalProperties": False,
}
SUPPRESSION = {
    "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": {"type": "string"}},
    "required": ["kind"],
    "additionalProperties": False,
}
RESULT = {
    "properties": {
        "ruleId": {"pattern": r"^MK\d{4}$"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": MESSAGE,
        "locations": {"type": "array", "items": LOCATION},
        "suppressions": {"type": "array", "items": SUPPRESSION},
    },
    "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
    "additionalProperties": False,
}
RULE = {
    "properties": {"id": {"type": "string"}, "shortDescription": MESSAGE, "help": MESSAGE},
    "required": ["id", "shortDescription"],
    "additionalProperties": False,
}
DRIVER = {
    "properties": {"name": {"const": "mlops-kit"}, "version": {"type": "string"}, "rules": {"items": RULE}},
    "required": ["name"],
    "additionalProperties": False,
}
RUN = {
    "properties": {
        "tool": {"properties": {"driver": DRIVER}, "required": ["driver"], "additionalProperties": False},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "originalUriBaseIds": {"additionalProperties": {"properties": {"description": MESSAGE}}},
        "results": {"type": "array", "items": RESULT},
    },
    "required": ["tool"],
    "additionalProperties": False,
}
LOG = {
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": RUN},
    },
    "required": ["version", "runs"],
    "additionalProperties": False,
}
JOB = "command: echo\nenvironment: azureml:sklearn@latest\n"


@pytest.fixture
def run_of(place):
    def read(*arguments):
        """Return the exit code and the one run of the log, after it was held to the schema."""
        code, lines = place.run("-e", "local", "-o", "sarif", *arguments)
        log = json.loads("\n".join(lines))
        Draft7Validator(LOG).validate(log)
        return code, log["runs"][0]

    return read


def test_a_finding_is_a_result_at_its_place_with_the_rule_of_its_page(place, run_of):
    place.put("templates/jobs/a.yml", JOB + "tags: 5\n")
    code, run = run_of()
    assert code == 2
    assert run["results"] == [
        {
            "ruleId": "MK0105",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "`tags` is `5`; expected a map"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "templates/jobs/a.yml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 3, "startColumn": 7},
                    }
                }
            ],
        }
    ]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "MK0105"
    assert rule["shortDescription"] == {"text": "A value has the wrong type."}
    assert rule["help"]["markdown"] == codes.explanation("MK0105")


def test_each_result_points_to_its_own_rule(place, run_of):
    place.put("templates/jobs/a.yml", JOB + "tags: 5\ninputs: {a: 1}\ntag: 6\n")
    _, run = run_of()
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["MK0102", "MK0105", "MK0302"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]


def test_what_a_comment_passes_over_is_a_suppressed_result(place, run_of):
    place.put("templates/jobs/a.yml", JOB + "inputs: {a: 1}  # mlops-kit: ignore[MK0302] read later\n")
    code, run = run_of("--strict")
    assert code == 0
    (result,) = run["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "read later"}]


def test_columns_count_the_units_of_utf_16(place, run_of):
    place.put("templates/jobs/a.yml", JOB + 'tags: {"é😀😀": [a]}\n')
    (found,) = json.loads("\n".join(place.run("-e", "local", "-o", "json")[1]))
    _, run = run_of()
    (result,) = run["results"]
    assert found["column"] == 15
    assert result["locations"][0]["physicalLocation"]["region"]["startColumn"] == 17


def test_a_file_elsewhere_and_a_name_with_a_blank_have_their_uris(place, run_of, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("else where") / "job.yml"
    elsewhere.write_text(JOB + "tags: 5\n")
    place.put("templates/jobs/my job.yml", JOB + "tags: 5\n")
    _, run = run_of(str(elsewhere), "templates/jobs/my job.yml", "-C", ".")
    artifacts = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert artifacts == [
        {"uri": elsewhere.as_uri()},
        {"uri": "templates/jobs/my%20job.yml", "uriBaseId": "%SRCROOT%"},
    ]


def test_a_fault_of_an_option_has_no_file(place, run_of):
    place.put("templates/jobs/b.yml", JOB.replace("echo", "echo ${{inputs.a}}") + "inputs: {a: 1}\n")
    code, run = run_of("templates/jobs/b.yml", "--set", "inputs.a={type: 3}")
    assert code == 2
    assert [result["locations"] for result in run["results"]] == [
        [{"logicalLocations": [{"fullyQualifiedName": "--set inputs.a"}]}]
    ]


def test_a_sound_project_is_a_log_without_results(place, run_of):
    place.put("templates/jobs/a.yml", JOB)
    code, run = run_of()
    assert (code, run["results"], run["tool"]["driver"]["rules"]) == (0, [], [])
