"""Comments that pass over a finding: where they hold, what they must say, and when they are findings themselves."""

import pytest

from mlops_kit import checks, documents
from mlops_kit.checks import suppressions
from mlops_kit.checks.findings import error
from mlops_kit.errors import Place

JOB = """\
command: python train.py
environment: azureml:sklearn@latest
inputs:
  rate: 0.2{end}
  epochs: 5
"""
REASON = "# mlops-kit: ignore[MK0302] read in the next version"


@pytest.fixture
def judged(folder):
    def judge(text, name="jobs/job.yml"):
        """Return each finding of a file as ``line code``, with the reason where it is passed over."""
        path = folder.put(name, text)
        files = checks.Files(folder.root)
        found = [each for document in documents.load(path) for each in checks.check(document.root, path, files)]
        told = suppressions.applied(found, {documents.displayed(path): path.read_text()})
        return [
            (finding.place.line, finding.code, *([] if finding.suppressed is None else [finding.suppressed]))
            for finding in sorted(told, key=lambda each: each.place)
        ]

    return judge


def test_a_comment_at_the_end_of_the_line_passes_over_its_finding_alone(judged):
    assert judged(JOB.format(end=f"  {REASON}")) == [
        (4, "MK0302", "read in the next version"),
        (5, "MK0302"),
    ]


def test_a_comment_alone_on_the_line_before_holds_for_the_next_line(judged):
    text = JOB.format(end="").replace("  rate", f"  {REASON}\n  # about rates\n  rate")
    assert judged(text) == [(6, "MK0302", "read in the next version"), (7, "MK0302")]


def test_several_codes_are_separated_by_commas(judged):
    text = "command: echo\nenvironment: azureml:e:1\n# mlops-kit: ignore[MK0102, mk0105] both known\ntag: 5\n"
    assert judged(text) == [(3, "MK0803"), (4, "MK0102", "both known")]


def test_a_comment_where_a_block_text_begins_holds_for_its_lines(judged):
    text = """\
    command: >-  # mlops-kit: ignore[MK0301] the service fills it in
      echo one

      ${{inputs.raet}}
    environment: azureml:e:1
    description: ${{inputs.raet}}
    """
    assert judged(text)[0] == (4, "MK0301", "the service fills it in")
    assert all(len(each) == 2 for each in judged(text)[1:])


def test_a_comment_of_the_shell_in_a_block_text_holds_for_its_line(judged):
    text = "command: |\n  echo ${{inputs.a}}  # mlops-kit: ignore[MK0301] known\n  echo ${{inputs.b}}\n"
    assert judged(text + "environment: azureml:e:1\n") == [(2, "MK0301", "known"), (3, "MK0301")]


def test_a_comment_without_a_reason_passes_over_and_is_a_fault(judged):
    assert judged(JOB.format(end="  # mlops-kit: ignore[MK0302]")) == [
        (4, "MK0302", ""),
        (4, "MK0802"),
        (5, "MK0302"),
    ]


def test_a_comment_without_a_reason_that_passes_over_nothing_is_one_fault(judged):
    assert judged("command: echo\nenvironment: azureml:e:1  # mlops-kit: ignore[MK0104]\n") == [(2, "MK0802")]


@pytest.mark.parametrize("comment", ["# mlops-kit: ignore", "# mlops-kit: ignore[] why", "#mlops-kit:ignore[MK9] why"])
def test_a_comment_without_a_known_code_is_a_fault(judged, comment):
    assert judged(JOB.format(end=f"  {comment}")) == [(4, "MK0302"), (4, "MK0802"), (5, "MK0302")]


def test_an_unknown_code_offers_the_one_meant():
    text = "a: 1  # mlops-kit: ignore[MK302] why\n"
    (finding,) = suppressions.applied([], {"a.yml": text})
    assert str(finding) == "a.yml:1:7: error[MK0802]: no finding has the code `MK302`; did you mean `MK0302`"


def test_a_comment_that_passes_over_nothing_is_a_warning(judged):
    assert judged("command: echo\nenvironment: azureml:e:1  # mlops-kit: ignore[MK0104] default\n") == [(2, "MK0803")]


@pytest.mark.parametrize(
    "line",
    [
        "compute: azureml:${env.compute}  # mlops-kit: ignore[MK0107] wrong in dev alone",
        "image: python  # mlops-kit: ignore[MK0505] pinned by the registry",
        "model: azureml:m@latest  # mlops-kit: ignore[MK1016] the newest is meant",
    ],
)
def test_a_comment_that_another_environment_may_need_is_left_alone(line):
    assert suppressions.applied([], {"a.yml": line}) == []


def test_a_comment_in_a_file_that_was_not_checked_to_its_end_is_left_alone():
    assert suppressions.applied([]) == []


def test_a_finding_in_another_file_is_passed_over_there(folder, judged):
    folder.put("environments/requirements.txt", "six\n-e .  # mlops-kit: ignore[MK0506] of the image\n")
    text = "name: a\nimage: python:3.11\nconda_file: requirements.txt\n"
    assert judged(text, "environments/a.yml") == [(2, "MK0506", "of the image")]


def test_what_cannot_be_rendered_cannot_be_passed_over(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text("a: ${env.x}  # mlops-kit: ignore[MK0801] why\n")
    first, second = suppressions.applied([error("MK0801", Place(str(path), 1, 4), "no value")])
    assert (first.code, first.suppressed) == ("MK0801", None)
    assert (second.code, second.message) == ("MK0802", "MK0801 cannot be passed over")


def test_a_text_that_only_names_the_marker_is_no_comment():
    assert suppressions.marks_of("# mlops-kit: see the guide\nmlops-kit: ignore[MK0302] x\n", "a.yml") == ()
