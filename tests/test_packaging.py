"""Which files of a code folder ship, the id of their content, and their limits (field reports R16, R17, R38)."""

import os
import shutil
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


def test_r16_ignore_file_of_the_repository_counts_in_a_code_folder(tree):
    root = tree(
        {
            ".gitignore": "__pycache__/\n",
            "pipelines/comp/main.py": "",
            "pipelines/comp/__pycache__/a.pyc": "x",
            "pipelines/comp/sub/__pycache__/b.pyc": "x",
        }
    )
    assert shipped(root / "pipelines" / "comp") == ["main.py"]


def test_r16_anchored_pattern_counts_from_its_own_folder(tree):
    root = tree({".gitignore": "/data\n", "data/big": "x", "sub/data/small": "x", "a.py": ""})
    assert shipped(root) == ["a.py", "sub/data/small"]


def test_r16_nested_ignore_file_overrides_the_one_above(tree):
    root = tree(
        {".gitignore": "*.csv\n", "a.csv": "", "keep/.gitignore": "!*.csv\n", "keep/b.csv": "", "keep/c.txt": ""}
    )
    assert shipped(root) == ["keep/.gitignore", "keep/b.csv", "keep/c.txt"]


def test_r16_amlignore_is_laid_on_top(tree):
    root = tree(
        {
            "code/.gitignore": "*.bin\n",
            "code/.amlignore": "!model.bin\ntests/\n",
            "code/model.bin": "",
            "code/x.bin": "",
        }
    )
    tree({"code/tests/t.py": "", "code/a.py": ""})
    assert shipped(root / "code") == ["a.py", "model.bin"]


def test_file_below_an_ignored_folder_cannot_come_back(tree):
    root = tree({".gitignore": "out/\n!out/keep.txt\n", "out/keep.txt": "x", "a.py": ""})
    assert shipped(root) == ["a.py"]


@pytest.mark.parametrize("name", [".git", ".hg", ".svn"])
def test_r16_folders_of_version_control_never_ship(tree, name):
    root = tree(
        {".amlignore": f"!{name}/\n", f"{name}/config": "secret", f"lib/{name}/config": "secret", "lib/a.py": ""}
    )
    assert shipped(root) == ["lib/a.py"]


def test_r16_amlignore_wins_over_every_gitignore_below_it(tree):
    root = tree(
        {"code/.amlignore": "*.csv\n", "code/sub/.gitignore": "!*.csv\n", "code/sub/a.csv": "", "code/a.py": ""}
    )
    assert shipped(root / "code") == ["a.py", "sub/.gitignore"]


def test_amlignore_brings_back_a_folder_that_the_repository_ignores(tree):
    root = tree({".gitignore": "data/\n", "code/.amlignore": "!data/\n", "code/data/a.csv": "", "code/a.py": ""})
    assert shipped(root / "code") == ["a.py", "data/a.csv"]


def test_ignore_files_of_the_code_folder_have_done_their_work_and_do_not_ship(tree):
    root = tree({"code/.gitignore": "", "code/.amlignore": "", "code/sub/.gitignore": "", "code/a.py": ""})
    assert shipped(root / "code") == ["a.py", "sub/.gitignore"]


def test_ignore_files_above_the_repository_do_not_count(tree, tmp_path):
    (tmp_path / ".gitignore").write_text("*\n", encoding="utf-8")
    assert shipped(tree({"a.py": ""})) == ["a.py"]


@pytest.mark.parametrize("pattern", ["build/", "*"])
def test_code_folder_that_is_ignored_itself_ships_when_it_is_named(tree, pattern):
    root = tree({".gitignore": f"{pattern}\n", "build/a.py": ""})
    assert shipped(root / "build") == ["a.py"]


# R17


def test_r17_files_of_zero_bytes_ship_and_empty_folders_are_named(tree):
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


@pytest.mark.parametrize("target", ["nothing", "gone", "../gone/x"])
def test_link_that_leads_nowhere_is_refused(tree, target):
    root = tree({"a.py": "a"})
    (root / "gone").symlink_to(target)
    with pytest.raises(UsageError, match="the link gone in .* leads nowhere"):
        packaging.package(root)


def test_link_that_is_ignored_may_lead_anywhere(tree):
    root = tree({".gitignore": "gone\nout\n", "a.py": "a"})
    (root / "gone").symlink_to("nothing")
    (root / "out").symlink_to("/")
    assert shipped(root) == ["a.py"]


def test_link_to_a_folder_of_version_control_does_not_ship_it(tree):
    root = tree({"code/a.py": "a"})
    (root / "code" / "history").symlink_to("../.git")
    assert shipped(root / "code") == ["a.py"]


def test_link_to_a_large_file_that_a_tool_keeps_in_there_ships(tree):
    root = tree({".git/annex/objects/1": "large", "code/a.py": "a"})
    (root / "code" / "model.bin").symlink_to("../.git/annex/objects/1")
    assert [(file.path, file.size) for file in packaging.package(root / "code").files] == [
        ("a.py", 1),
        ("model.bin", 5),
    ]


def test_links_that_lead_round_end(tree):
    root = tree({"code/one/a.py": "a", "code/two/b.py": "b"})
    (root / "code" / "one" / "to_two").symlink_to("../two")
    (root / "code" / "two" / "to_one").symlink_to("../one")
    assert shipped(root / "code") == ["one/a.py", "one/to_two/b.py", "two/b.py", "two/to_one/a.py"]


def test_links_that_multiply_without_end_are_refused(tree):
    names = [f"f{number}" for number in range(9)]
    root = tree({f"code/{name}/a.py": "" for name in names})
    for one in names:
        for other in names:
            if one != other:
                (root / "code" / one / other).symlink_to(f"../{other}")
    with pytest.raises(UsageError, match="links to folders that multiply: more than 500"):
        packaging.package(root / "code")


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_name_that_is_not_utf8_is_refused(tree):
    root = tree({"a.py": "a"})
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.py")).touch()
    with pytest.raises(UsageError, match=r"the name of the file b'caf\\xe9.py' in .* is not UTF-8"):
        packaging.package(root)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"there is no code folder .*none"):
        packaging.package(tmp_path / "none")


# the id of the content

FILES = {"a.py": "a", "B.py": "b", "sub/c.py": "", "sub/deep/D.txt": "d\n", "Zeta/e": "e", "sub.py": "s", "é/f": "f"}
names = st.lists(st.sampled_from(["a", "B", "c.py", "-", "_", "é", "sub", "a#1", " x"]), min_size=1, max_size=3)
trees = st.dictionaries(names.map("/".join), st.binary(max_size=3), min_size=1, max_size=8)


def _sdk_id(path):
    from azure.ai.ml._utils._asset_utils import get_content_hash

    return get_content_hash(path)


def _id(folder):
    return packaging.content_id(packaging.package(folder))


def _written(root, files):
    """Write those of the files whose path does not lead through another one; return what is there."""
    for name, content in files.items():
        if not any(other != name and other.startswith(f"{name}/") for other in files):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_content_id_is_the_hash_by_which_the_sdk_decides_to_upload(tree):
    root = tree({f"code/{name}": text for name, text in FILES.items()})
    assert _id(root / "code") == _sdk_id(root / "code")
    assert _id(root / "code" / "a.py") == _sdk_id(root / "code" / "a.py")


@given(first=trees, second=trees)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r38_content_id_is_equal_exactly_where_names_and_contents_are(tmp_path_factory, first, second):
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    held = _written(one, first), _written(two, second)
    assert (_id(one) == _id(two)) == (held[0] == held[1])
    assert _id(one) == _sdk_id(one)


@pytest.mark.parametrize("other", [{"a": "bc"}, {"ab": "c"}, {"a": "", "b": "c"}, {"abc": ""}])
def test_content_id_tells_names_from_contents(tree, other):
    first = tree({f"first/{name}": text for name, text in {"a": "b", "b": "c"}.items()})
    second = tree({f"second/{name}": text for name, text in other.items()})
    assert _id(first / "first") != _id(second / "second")


def test_r38_content_id_stays_where_nothing_that_ships_changes(tree):
    root = tree({".gitignore": "*.pyc\n", **{f"code/{name}": text for name, text in FILES.items()}})
    before = _id(root / "code")
    left = {"code/x.pyc": "x", "code/.gitignore": "*.log\n", "code/x.log": "x"}
    tree({**left, "code/sub/.git/HEAD": "x", "code/sub/__pycache__/c.pyc": "x", "code/empty": None})
    (root / "code" / "a.py").touch()
    (root / "code" / "a.py").chmod(0o755)
    assert _id(root / "code") == before
    assert _id(shutil.copytree(root / "code", root / "elsewhere", ignore=shutil.ignore_patterns("x.*"))) == before


def test_files_know_where_they_lie(tree):
    root = tree({"sub/a.py": "a"})
    [file] = packaging.package(root).files
    assert file.source == Path(root, "sub", "a.py")


# the limits


def test_r16_package_over_the_limit_names_the_ten_largest(tree):
    package = packaging.package(tree({f"f{number:02}": "x" * number for number in range(12)}))
    said = packaging.excess(package, packaging.Limits(files=11, size=100 << 20))
    assert said.startswith("ships 12 files of 0.0 MB; the limit is 11 files and 100.0 MB; the largest are f11 (0.0 MB)")
    assert "f02" in said
    assert "f01" not in said


def test_package_within_the_limits_has_no_excess(tree):
    package = packaging.package(tree({"a": "xx", "b": "x"}))
    assert packaging.excess(package, packaging.Limits(files=2, size=3)) == ""
    assert packaging.excess(package, packaging.Limits(files=2, size=2))
    assert packaging.excess(package, packaging.Limits(files=1, size=3))


def test_limits_are_the_documented_ones_unless_variables_say_otherwise():
    assert packaging.limits({}) == packaging.Limits(2000, 300 * 1024 * 1024)
    given = {"MLOPS_KIT_CODE_FILES": "5000", "MLOPS_KIT_CODE_MEGABYTES": "1"}
    assert packaging.limits(given) == packaging.Limits(5000, 1024 * 1024)
    with pytest.raises(UsageError, match="MLOPS_KIT_CODE_FILES is 'many', not a whole number"):
        packaging.limits({"MLOPS_KIT_CODE_FILES": "many"})
