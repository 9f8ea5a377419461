"""Keys in every file that is read: none is unknown, none is written twice, and merges are no repetition (R11)."""

import pytest

JOB = "environment: azureml:e:1\n"
COMPONENT = "name: c\ntype: command\ncommand: echo\nenvironment: azureml:e:1\n"


@pytest.mark.parametrize(
    ("name", "text", "line", "lines"),
    [
        ("templates/jobs/a.yml", f"command: a\n{JOB}command: b\n", 3, "in line 1 and in line 3"),
        ("templates/jobs/a.yml", f"command: a\n{JOB}tags:\n  a: 1\n  'a': 2\n", 5, "in line 4 and in line 5"),
        ("environments/dev.yaml", "compute: a\ncompute: b\n", 2, "in line 1 and in line 2"),
        ("templates/environments/c.yml", "dependencies: [pip]\ndependencies: [pip]\n", 2, "in line 1 and in line 2"),
    ],
    ids=["a template", "a map in it", "an environment file", "a conda file"],
)
def test_a_key_that_is_written_twice_is_an_error_with_both_lines(place, name, text, line, lines):
    place.put(name, text)
    code, (found,) = place.run("-e", "local")
    key = text.splitlines()[line - 1].partition(":")[0].strip(" '")
    assert code == 2
    assert found.startswith(f"{name}:{line}:")
    assert found.endswith(f"error[MK0103]: key '{key}' is written twice, {lines}")


@pytest.mark.parametrize(
    ("template", "text", "other", "body"),
    [
        ("jobs/p.yml", "type: pipeline\njobs: {a: {component: ../c.yml}}\n", "c.yml", f"{COMPONENT}command: b\n"),
        (
            "environments/e.yml",
            "name: e\nimage: python:3.11\nconda_file: ../c.yml\n",
            "c.yml",
            "dependencies: [pip]\nname: a\nname: b\n",
        ),
        ("jobs/j.yml", "command: a\nenvironment: file:../c.yml\n", "c.yml", "name: a\nimage: b:1\nimage: c:1\n"),
    ],
    ids=["a component", "a conda file", "an environment"],
)
def test_a_file_that_a_template_names_is_read_as_strictly(place, template, text, other, body):
    place.put(f"templates/{other}", body)
    path = place.put(f"templates/{template}", text)
    code, (found,) = place.run(str(path), "-e", "local")
    assert code == 2
    assert found.startswith(f"templates/{other}:{body.count(chr(10))}:1: error[MK0103]: key ")
    assert place.run("-e", "local") == (2, [found])


def test_a_merge_may_be_overridden_and_a_block_of_anchors_has_a_key_of_its_own(place):
    text = "x-base: &base\n  environment: azureml:e:1\n  compute: azureml:cpu\n<<: *base\ncompute: azureml:gpu\n"
    place.put("templates/jobs/a.yml", f"{text}command: echo\n")
    assert place.run("-e", "local") == (0, [])
    place.put("templates/jobs/a.yml", f"{text.replace('x-base', 'base')}command: echo\n")
    own = "a key of your own, such as one that holds anchors, begins with `x-`"
    assert place.run("-e", "local") == (
        2,
        [f"templates/jobs/a.yml:1:1: error[MK0102]: unknown key `base`; {own}"],
    )


def test_a_misspelt_key_offers_the_one_meant_in_every_kind_of_file(place):
    place.put("templates/jobs/a.yml", f"comand: echo\n{JOB}")
    place.put("environments/dev.yaml", "descriptio: x\n")
    _, lines = place.run("-e", "local")
    assert lines == [
        "environments/dev.yaml:1:1: error[MK0701]: unknown key 'descriptio', did you mean 'description'?",
        "templates/jobs/a.yml:1:1: error[MK0102]: unknown key `comand`; did you mean `command`",
    ]
