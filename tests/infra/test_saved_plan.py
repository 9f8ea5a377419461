"""Plans in files: private, whole, and refused when they no longer fit."""

import stat
import zipfile

import pytest

from mlops_kit.errors import UsageError
from mlops_kit.infra.changes import Change, Changes
from mlops_kit.infra.saved_plan import Planned, StalePlanError, basis, load, save

PLANNED = Planned(Changes("dev", "terraform", (Change("a", "t", "n", "create"),)), b"\0the engine's own", destroys=True)
VALUES = {"storage": {"name": "st"}}


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "main.tf"
    path.write_text("one", encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path, program):
    path = tmp_path / "dev.plan"
    save(path, PLANNED, basis(VALUES, [program]))
    return path


def test_a_plan_comes_back_as_it_was(file, program):
    assert load(file, "dev", "terraform", basis(VALUES, [program])) == PLANNED


def test_a_plan_is_readable_by_its_owner_alone_also_over_another_file(tmp_path, program, file):
    file.chmod(0o644)
    save(file, PLANNED, basis(VALUES, [program]))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev.plan", "main.tf"]


def test_changed_values_make_it_stale(file, program):
    with pytest.raises(StalePlanError) as error:
        load(file, "dev", "terraform", basis({"storage": {"name": "other"}}, [program]))
    assert str(error.value) == (
        "the plan is stale, nothing was changed: the values of the environment 'dev' have changed since it was made;"
        " plan again"
    )


def test_a_changed_program_makes_it_stale(file, program):
    program.write_text("two", encoding="utf-8")
    with pytest.raises(StalePlanError, match="the files of the program have changed"):
        load(file, "dev", "terraform", basis(VALUES, [program]))


def test_the_order_of_values_and_files_means_nothing(tmp_path, program):
    other = tmp_path / "outputs.tf"
    other.write_text("x", encoding="utf-8")
    assert basis({"a": 1, "b": 2}, [program, other]) == basis({"b": 2, "a": 1}, [other, program])


@pytest.mark.parametrize(
    ("environment", "engine", "said"),
    [
        ("prod", "terraform", "is a plan for the environment 'dev', not for 'prod'"),
        ("dev", "pulumi", "is a plan for the engine 'terraform', not for 'pulumi'"),
    ],
)
def test_a_plan_for_something_else_is_refused(file, program, environment, engine, said):
    with pytest.raises(UsageError, match=said):
        load(file, environment, engine, basis(VALUES, [program]))


@pytest.mark.parametrize("content", [b"", b"no plan", b"PK\x03\x04 damaged"])
def test_a_file_that_is_no_plan_is_refused(tmp_path, program, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a plan that 'mlops-kit infra plan --out' has written"):
        load(path, "dev", "terraform", basis(VALUES, [program]))


def test_an_archive_of_something_else_is_refused(tmp_path, program):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plan.json", "[1]")
        archive.writestr("engine", "")
    with pytest.raises(UsageError, match="is not a plan"):
        load(path, "dev", "terraform", basis(VALUES, [program]))


def test_a_missing_file_is_named(tmp_path, program):
    with pytest.raises(UsageError, match="gone.plan does not exist"):
        load(tmp_path / "gone.plan", "dev", "terraform", basis(VALUES, [program]))
