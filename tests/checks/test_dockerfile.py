"""Dockerfiles of build contexts: instructions, base images, copies."""

import pytest

ASSET = "name: own\nbuild:\n  path: ./own\n"


def _found(folder, text, asset=ASSET, name="Dockerfile", **given):
    """Return what is wrong with a Dockerfile in the folder ``own``, without its path."""
    folder.put("environments/own/requirements.txt", "numpy==2.2.1\n")
    path = folder.put(f"environments/own/{name}")
    path.write_text(text)
    return [line.removeprefix(f"{path}:") for line in folder.found(asset, "environments/own.yml", **given)]


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=docker\nARG TAG=3.12\nFROM python:${TAG} AS build\nRUN echo\nFROM build\nCOPY --from=build /a /\n",
        'FROM python:3.12\nCOPY requirements.txt .\nCOPY . /a\nCOPY *.txt /a/\nCOPY ["requirements.txt", "/a b/"]\n',
        "FROM --platform=linux/amd64 python:3.12\nCOPY --chown=1 ./requirements.txt /\nADD https://host/a /\n",
        'FROM python:3.12\nRUN set -eux; \\\n\n# a comment\n  apt-get update; \\   \n  echo done\nCMD ["bash"]\n',
        "FROM python:3.12\nRUN <<EOF\npip install numpy\n&& broken\nEOF\nCOPY <<-'END' /a\nhello\nEND\nENTRYPOINT []\n",
        "# escape=`\nFROM python:3.12\nRUN echo one `\n  && echo two\n",
        "from python:3.12\nrun echo\nONBUILD RUN echo\nLABEL a=b\n",
        "ARG BASE\nFROM ${BASE}\nARG FILE\nCOPY ${FILE} /a\n",
        "FROM python:3.12\nRUN python - <<< 'print(1)'\nUSER root\n",
        "FROM scratch\nCOPY requirements.txt /\n",
        "FROM python:3.12\r\nRUN echo one \\\r\n  && echo two\r\n",
    ],
)
def test_right_files_pass(folder, text):
    assert _found(folder, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: error[MK0520]: the Dockerfile has no FROM"),
        ("# nothing\nARG A=1\n", "1:1: error[MK0520]: the Dockerfile has no FROM"),
        ("\nRUN echo\nFROM python:3.12\n", "2:1: error[MK0520]: `RUN` stands before the first FROM"),
        ("FROM\n", "1:1: error[MK0524]: FROM names no image"),
        (
            "FROM python:3.12\nRUNN echo\n",
            "2:1: error[MK0524]: `RUNN` is no instruction of a Dockerfile; did you mean `RUN`",
        ),
        (
            "FROM python:3.12\nRUN apt-get install \\\n  git\n  curl\n  wget\n",
            "4:3: error[MK0524]: `curl` is no instruction",
        ),
        ("FROM python:3.12\nRUN a\n  && b\n", "3:3: error[MK0525]: the line begins with `&&`, and the one before it"),
        (
            "FROM python:3.12\nRUN pip install \\\n  a\n  --no-deps\n",
            "4:3: error[MK0525]: the line begins with `--no-deps`",
        ),
        ("FROM python:3.12\nCOPY requirements.txt\n", "2:1: error[MK0524]: COPY needs a source and a destination"),
        ("FROM python:3.12\nCOPY conda.yml /tmp/\n", "2:6: error[MK0522]: `conda.yml` is not in the build context"),
        (
            "FROM python:3.12\nADD requirement.txt /\n",
            "2:5: error[MK0522]: `requirement.txt` is not in the build context; did you mean `requirements.txt`",
        ),
        (
            "FROM python:3.12\nCOPY requirements.txt \\\n  src/ /app/\n",
            "3:3: error[MK0522]: `src/` is not in the build context",
        ),
        ("FROM python:3.12\nCOPY *.yml /app/\n", "2:6: error[MK0522]: `*.yml` matches nothing in the build context"),
        (
            "FROM python:3.12\nCOPY ../secrets.txt /\n",
            "2:6: error[MK0523]: `../secrets.txt` leads out of the build context",
        ),
        ("FROM python:3.12\nCOPY a/../../b /\n", "2:6: error[MK0523]: `a/../../b` leads out of the build context"),
        ("FROM python:3.8-slim\n", "1:6: warning[MK0510]: the support of Python 3.8 ended on 2024-10-07"),
    ],
)
def test_r18_each_fault_is_one_finding_at_its_line(folder, text, expected):
    (found,) = _found(folder, text)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("FROM tensorflow/serving\n", "tensorflow/serving"),
        ("FROM host:5000/a:latest AS b\nFROM b\n", "host:5000/a:latest"),
        ("ARG TAG=latest\nFROM python:$TAG\n", "python:latest"),
        ("FROM ${BASE:-python}\n", "python"),
    ],
)
def test_a_base_image_without_a_tag_of_its_own_is_warned_of_and_refused_in_a_protected_environment(folder, text, image):
    (found,) = _found(folder, text)
    assert f"warning[MK0521]: the base image `{image}` is not pinned" in found
    (found,) = _found(folder, text, protected=True)
    assert f"error[MK0521]: the base image `{image}` is not pinned" in found


def test_r31_copies_are_looked_up_in_the_stated_folder_wherever_the_dockerfile_lies(folder):
    asset = ASSET + "  dockerfile_path: docker/Dockerfile\n"
    assert _found(folder, "FROM python:3.12\nCOPY requirements.txt /\n", asset, "docker/Dockerfile") == []
    folder.put("environments/own/docker/beside.txt")
    (found,) = _found(folder, "FROM python:3.12\nCOPY beside.txt /\n", asset, "docker/Dockerfile")
    assert found.startswith("2:6: error[MK0522]: `beside.txt` is not in the build context; looked in ")


def test_l5_09_a_build_context_without_a_dockerfile_is_found(folder):
    folder.put("environments/own/requirements.txt")
    assert folder.found(ASSET, "environments/own.yml") == [
        "3:9: error[MK0406]: folder `./own` holds no file named Dockerfile"
    ]


def test_a_dockerfile_of_another_name_is_offered(folder):
    folder.put("environments/own/Dockerfile.gpu", "FROM python:3.12\n")
    (found,) = folder.found(ASSET, "environments/own.yml")
    assert found.endswith("holds no file named Dockerfile; write `dockerfile_path: Dockerfile.gpu`")


def test_the_build_context_of_an_environment_inside_of_a_job_is_checked(folder):
    folder.put("jobs/own/Dockerfile", "FROM python:3.12\nCOPY absent /\n")
    (found,) = folder.found("command: echo\nenvironment:\n  build: {path: ./own}\n")
    assert "jobs/own/Dockerfile:2:6: error[MK0522]" in found


def test_a_file_that_is_not_utf8_is_told_once(folder):
    folder.put("environments/own/Dockerfile").write_bytes(b"FROM python:3.12\nLABEL a=\xff\n")
    (found,) = folder.found(ASSET, "environments/own.yml")
    assert "Dockerfile:2:9: error[MK0100]: byte 0xff is not UTF-8" in found
