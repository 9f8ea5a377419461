"""``mlops-kit run``: what makes two submissions one job, and what is said and kept when not all can be sent."""

import pytest

JOB = "type: command\nenvironment:\n  image: python\ncompute: azureml:cpu-cluster\n"


@pytest.fixture
def code(workspace_project):
    """Return a function that writes a file of a code folder below templates/jobs."""

    def write_code(name, text):
        path = workspace_project / "templates" / "jobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write_code


def test_changed_code_under_the_same_attempt_is_another_job(kit, write, code):
    template = write("jobs/recoded.yml", JOB + "code: recoded\ncommand: cat words.txt\n")
    made = []
    for words in ("v1", "v2", "v2"):
        code("recoded/words.txt", words)
        made.append(kit("run", template, "--attempt", "B", "--stream", "-o", "json"))

    names = [each.json["name"] for each in made]
    assert len(set(names)) == 2
    assert names[1] == names[2]
    assert "\nv2\n" in made[1].err
    assert "was submitted by this attempt before" in made[2].err


def test_job_sees_what_ships_and_nothing_else(kit, write, code):
    for name in ("main.py", ".gitignore", "left.tmp", "deep/.gitignore", "deep/big.bin", "deep/kept.txt", ".git/HEAD"):
        code(f"shipped/{name}", {".gitignore": "*.tmp\n", "deep/.gitignore": "*.bin\n"}.get(name, "x"))
    template = write("jobs/shipped.yml", JOB + "code: shipped\ncommand: find . -type f | sort | sed s/^/ships:/\n")
    ran = kit("run", template, "--stream", "-o", "json")

    seen = {line.removeprefix("ships:./") for line in ran.err.splitlines() if line.startswith("ships:")}
    assert {name for name in seen if not name.startswith(("user_logs", "outputs", "logs"))} == {
        "main.py",
        "deep/.gitignore",
        "deep/kept.txt",
    }
