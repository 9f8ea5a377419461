"""Finding the project, its templates, and what git says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from mlops_kit import project
from mlops_kit.errors import UsageError

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def shop(tmp_path):
    """Return a project with templates of equal names."""
    names = ("jobs/train", "pipelines/train", "components/train", "components/score", "models/score", "only/one")
    for name in (*names, ".hidden/train"):
        path = tmp_path / "templates" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a: 1\n", encoding="utf-8")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "base.yaml").write_text("", encoding="utf-8")
    return project.Project(tmp_path)


def found(shop, name):
    return project.find_template(shop, name, start=shop.folder).relative_to(shop.folder).as_posix()


def test_project_is_found_upwards(shop):
    assert project.find(shop.templates / "jobs").folder == shop.folder


def test_templates_for_environment_assets_are_not_taken_for_a_project():
    assert project.find(PROJECT / "templates" / "environments").folder == PROJECT


def test_folder_outside_any_project_is_named(tmp_path):
    with pytest.raises(UsageError, match="lies in no project"):
        project.find(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        project.find(tmp_path / "none")


def test_template_is_found_by_name_part_of_path_and_path(shop):
    assert found(shop, "one") == "templates/only/one.yml"
    assert found(shop, "one.yml") == "templates/only/one.yml"
    assert found(shop, "pipelines/train") == "templates/pipelines/train.yml"
    assert found(shop, "templates/pipelines/train.yml") == "templates/pipelines/train.yml"


def test_name_that_several_folders_have_means_the_job(shop):
    assert found(shop, "train") == "templates/jobs/train.yml"


def test_ambiguous_name_lists_the_candidates(shop):
    with pytest.raises(UsageError, match="several templates are called 'score': components/score, models/score"):
        found(shop, "score")


def test_unknown_template_offers_the_near_one(shop):
    with pytest.raises(UsageError, match="no template 'jobs/trainn'; did you mean jobs/train"):
        found(shop, "jobs/trainn")
    with pytest.raises(UsageError, match=r"no template 'zzz'; known are components/score,"):
        found(shop, "zzz")


def test_hidden_folders_hold_no_templates(shop):
    paths = [path.relative_to(shop.templates).as_posix() for path in project.template_paths(shop)]
    assert len(paths) == 6
    assert paths == sorted(paths)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_facts_are_those_of_git_packed_or_not_and_in_a_worktree(tmp_path):
    def git(*arguments, cwd=tmp_path / "repo"):
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.invalid")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, text=True
        ).stdout.strip()

    (tmp_path / "repo" / "sub").mkdir(parents=True)
    assert project.Project(tmp_path / "repo").git == {}
    git("init", "-q", "-b", "main")
    assert project.Project(tmp_path / "repo").git == {"branch": "main"}
    git("commit", "-q", "--allow-empty", "-m", "one")
    commit = git("rev-parse", "HEAD")
    expected = {"commit": commit, "short_commit": commit[:10], "branch": "main"}
    assert project.Project(tmp_path / "repo" / "sub").git == expected
    git("pack-refs", "--all")
    assert project.Project(tmp_path / "repo").git == expected
    git("worktree", "add", "-q", "-b", "feature/x", str(tmp_path / "tree"))
    assert project.Project(tmp_path / "tree").git == {**expected, "branch": "feature/x"}
    git("checkout", "-q", "--detach")
    assert project.Project(tmp_path / "repo").git == {"commit": commit, "short_commit": commit[:10]}
