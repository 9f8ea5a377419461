"""Names made of other texts (field report R15)."""

import re
from pathlib import Path

import pytest

from mlops_kit import slugs
from mlops_kit.checks.names import RULES
from mlops_kit.errors import ExpressionError, Place
from mlops_kit.expressions import Root, evaluate

BRANCHES = ["feature/a-b", "feature/a b", "feature-a/b", "feature-a-b", "feature:a:b", "Feature-a-b", "feature/A-b"]
ODD = ["", "/", "run:3PM", "_hidden", "ä" * 400, "x" * 400, "-dash", "3pm", "a--b", "a-1", "x-/-"]


def _evaluated(text, branch):
    roots = {"git": Root({"branch": branch}, "value of git")}
    return evaluate(text, roots, lambda _expression: Place("jobs/train.yml", 1, 1))


def test_valid_text_stays_as_it_is():
    assert slugs.slug("feature-ABC-12") == "feature-ABC-12"


def test_changed_text_carries_a_hash_and_keeps_its_case():
    assert re.fullmatch("feature-ABC-12-fix-[0-9a-f]{8}", slugs.slug("feature/ABC-12 fix"))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("longest", [16, 32, 255])
def test_r15_two_branches_never_share_a_slug(longest, lower):
    assert len({slugs.slug(text, longest, lower=lower) for text in BRANCHES}) == len(BRANCHES)


@pytest.mark.parametrize("text", ODD)
def test_slug_of_anything_is_valid_and_stable(text):
    assert slugs.VALID.fullmatch(slugs.slug(text))
    assert slugs.slug(text) == slugs.slug(text)


@pytest.mark.parametrize("text", [*ODD, *BRANCHES])
@pytest.mark.parametrize("kind", ["endpoint", "deployment", "compute", "job", "asset"])
def test_lower_slug_of_anything_names_an_endpoint_and_a_job(text, kind):
    made = slugs.slug(text, 24, lower=True)
    assert RULES[kind].accepts(made) or (made == text and text in {"a-1", ""})
    assert made == made.lower()


def test_a_lower_slug_may_end_in_digits_only_where_the_text_did():
    assert not re.search(r"-\d+$", slugs.slug("release/1", 24, lower=True))


def test_r15_a_branch_becomes_the_name_of_an_experiment():
    made = _evaluated("${git.branch | slug}", "feature/ABC-12 fix")
    assert made == slugs.slug("feature/ABC-12 fix")
    assert RULES["experiment"].accepts(made)
    assert _evaluated("churn-${git.branch | slug(40)}", "main") == "churn-main"
    assert len(_evaluated("${git.branch | slug(32, lower=true)}", "feature/" + "x" * 80)) <= 32


def test_a_slug_without_room_for_its_hash_is_refused():
    with pytest.raises(ExpressionError, match="a slug needs room for 16 characters, not 8"):
        _evaluated("${git.branch | slug(8)}", "main")


def test_the_page_of_templates_shows_the_filter():
    assert "| slug" in (Path(__file__).parents[1] / "docs/templates.md").read_text(encoding="utf-8")
