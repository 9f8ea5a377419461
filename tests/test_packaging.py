"""Which files of a code folder ship, by git's rules, and the id of their content."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_kit import packaging
from mlops_kit.errors import UsageError


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes files, by path, below a repository."""

    def write(files, repository="repo"):
        root = tmp_path / repository
        (root / ".git").mkdir(parents=True, exist_ok=True)
        (root / ".git" / "config").write_text("[core]\n", encoding="utf-8")
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_text(text, encoding="utf-8")
        return root

    return write


def shipped(folder):
    return [file.path for file in packaging.package(folder).files]


# R16


def test_ignore_file_of_the_repository_counts_in_a_code_folder(tree):
    root = tree(
        {
            ".gitignore": "__pycache__/\n",
            "pipelines/comp/main.py": "",
            "pipelines/comp/__pycache__/a.pyc": "x",
            "pipelines/comp/sub/__pycache__/b.pyc": "x",
        }
    )
    assert shipped(root / "pipelines" / "comp") == ["main.py"]


def test_anchored_pattern_counts_from_its_own_folder(tree):
    root = tree({".gitignore": "/data\n", "data/big": "x", "sub/data/small": "x", "a.py": ""})
    assert shipped(root) == [".gitignore", "a.py", "sub/data/small"]


def test_nested_ignore_file_overrides_the_one_above(tree):
    root = tree(
        {".gitignore": "*.csv\n", "a.csv": "", "keep/.gitignore": "!*.csv\n", "keep/b.csv": "", "keep/c.txt": ""}
    )
    assert shipped(root) == [".gitignore", "keep/.gitignore", "keep/b.csv", "keep/c.txt"]


def test_amlignore_is_laid_on_top(tree):
    root = tree(
        {
            "code/.gitignore": "*.bin\n",
            "code/.amlignore": "!model.bin\ntests/\n",
            "code/model.bin": "",
            "code/x.bin": "",
        }
    )
    tree({"code/tests/t.py": "", "code/a.py": ""})
    assert shipped(root / "code") == [".amlignore", ".gitignore", "a.py", "model.bin"]


def test_file_below_an_ignored_folder_cannot_come_back(tree):
    root = tree({".gitignore": "out/\n!out/keep.txt\n", "out/keep.txt": "x", "a.py": ""})
    assert shipped(root) == [".gitignore", "a.py"]


@pytest.mark.parametrize("name", [".git", ".hg", ".svn"])
def test_folders_of_version_control_never_ship(tree, name):
    root = tree(
        {".amlignore": f"!{name}/\n", f"{name}/config": "secret", f"lib/{name}/config": "secret", "lib/a.py": ""}
    )
    assert shipped(root) == [".amlignore", "lib/a.py"]


def test_ignore_files_above_the_repository_do_not_count(tree, tmp_path):
    (tmp_path / ".gitignore").write_text("*\n", encoding="utf-8")
    assert shipped(tree({"a.py": ""})) == ["a.py"]


def test_code_folder_that_is_ignored_itself_ships_when_it_is_named(tree):
    root = tree({".gitignore": "build/\n", "build/a.py": ""})
    assert shipped(root / "build") == ["a.py"]


@given(
    patterns=st.lists(
        st.sampled_from(
            [
                "*.py",
                "!a.py",
                "/a.py",
                "x/",
                "/x",
                "x/*",
                "!x/b.txt",
                "**/b.txt",
                "x/**",
                "y",
                "# c",
                "",
                "\\!z",
                "a?.py",
                "!y/",
            ]
        ),
        max_size=6,
    ),
    nested=st.lists(st.sampled_from(["*.txt", "!b.txt", "/a.py", "!*.py", "y/"]), max_size=3),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")
def test_what_ships_is_what_git_would_add(tmp_path_factory, patterns, nested):
    root = tmp_path_factory.mktemp("repo")
    for name in ("a.py", "ab.py", "b.txt", "!z", "x/a.py", "x/b.txt", "x/y/a.py", "y/b.txt", "w/x/b.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (root / ".gitignore").write_text("\n".join(patterns) + "\n", encoding="utf-8")
    (root / "x" / ".gitignore").write_text("\n".join(nested) + "\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    assert shipped(root) == sorted(listed.strip("\0").split("\0") if listed else [])


# R17


def test_files_of_zero_bytes_ship_and_empty_folders_are_named(tree):
    root = tree({"pkg/__init__.py": "", "conf/base/.gitkeep": "", "conf/local": None, "a.py": "x"})
    package = packaging.package(root)
    assert [(file.path, file.size) for file in package.files] == [
        ("a.py", 1),
        ("conf/base/.gitkeep", 0),
        ("pkg/__init__.py", 0),
    ]
    assert package.empty_folders == ("conf/local",)


def test_package_knows_its_size_and_its_largest_files(tree):
    package = packaging.package(tree({"a": "x" * 5, "b": "x" * 9, "c": "x"}))
    assert package.size == 15
    assert [file.path for file in package.largest(2)] == ["b", "a"]


# links, and what is no folder


def test_link_inside_the_repository_ships_its_content(tree):
    root = tree({"shared/s.py": "s", "code/a.py": "a"})
    (root / "code" / "shared").symlink_to("../shared")
    (root / "code" / "loop").symlink_to(".")
    assert shipped(root / "code") == ["a.py", "shared/s.py"]


def test_link_that_leads_outside_the_repository_is_refused(tree, tmp_path):
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    root = tree({"code/a.py": "a"})
    (root / "code" / "link.txt").symlink_to("../../secret.txt")
    with pytest.raises(UsageError, match=r"the link link\.txt in .*code leads outside"):
        packaging.package(root / "code")


def test_link_that_leads_nowhere_is_refused(tree):
    root = tree({"a.py": "a"})
    (root / "gone").symlink_to("nothing")
    with pytest.raises(UsageError, match="the link gone in .* leads nowhere"):
        packaging.package(root)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"there is no code folder .*none"):
        packaging.package(tmp_path / "none")


# the id of the content

FILES = {"a.py": "a", "B.py": "b", "sub/c.py": "", "sub/deep/D.txt": "d\n", "Zeta/e": "e"}


def test_content_id_is_the_hash_of_the_sdk(tree):
    from azure.ai.ml._utils._asset_utils import get_object_hash

    root = tree({f"code/{name}": text for name, text in FILES.items()})
    assert packaging.content_id(packaging.package(root / "code")) == get_object_hash(root / "code")
    assert packaging.content_id(packaging.package(root / "code" / "a.py")) == get_object_hash(root / "code" / "a.py")


def test_content_id_is_the_hash_of_the_sdk_over_what_ships(tree, tmp_path):
    from azure.ai.ml._utils._asset_utils import get_object_hash

    ignored = {".gitignore": "*.pyc\n", "code/a.pyc": "x", "code/sub/b.pyc": "y"}
    root = tree({**{f"code/{name}": text for name, text in FILES.items()}, **ignored})
    package = packaging.package(root / "code")
    for file in package.files:
        (tmp_path / "staged" / file.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.source, tmp_path / "staged" / file.path)
    assert packaging.content_id(package) == get_object_hash(tmp_path / "staged")


def test_content_id_depends_on_names_and_contents_only(tree):
    first = packaging.content_id(packaging.package(tree(FILES, "one")))
    assert packaging.content_id(packaging.package(tree(FILES, "two"))) == first
    assert packaging.content_id(packaging.package(tree({**FILES, "a.py": "A"}, "three"))) != first
    assert packaging.content_id(packaging.package(tree({**FILES, "f.py": ""}, "four"))) != first


def test_files_know_where_they_lie(tree):
    root = tree({"sub/a.py": "a"})
    [file] = packaging.package(root).files
    assert file.source == Path(root, "sub", "a.py")
