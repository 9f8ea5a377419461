"""What ``${...}`` finds, how it is evaluated, and what it leaves alone."""

import pytest

from mlops_kit.errors import ExpressionError, Place
from mlops_kit.expressions import ProcessRoot, Root, Secret, SecretText, evaluate, has_expressions
from mlops_kit.scalars import WrittenFloat

ROOTS = {
    "env": Root(
        {
            "name": "dev",
            "count": 3,
            "on": True,
            "nothing": None,
            "rate": WrittenFloat(0.1, "0.10"),
            "nested": {"items": 1, "cost-center": "x"},
            "zones": ["a", "b"],
        },
        "value",
    ),
    "var": Root({"lr": 0.1}, "parameter"),
    "process": ProcessRoot({"HOME": "/h"}),
}


def value(text, roots=ROOTS):
    return evaluate(text, roots, lambda _: Place("t.yml", 7, 3))


def refusal(text):
    with pytest.raises(ExpressionError) as caught:
        value(text)
    message = str(caught.value)
    assert message.startswith("t.yml:7:3: ")
    assert "\n" not in message
    return message.removeprefix("t.yml:7:3: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env.name}", "dev"),
        ("${ env.name }", "dev"),
        ("${env.count}", 3),
        ("${env.on}", True),
        ("${env.nothing}", None),
        ("${env.zones}", ["a", "b"]),
        ("${env.nested['cost-center']}", "x"),
        ("${env.name | upper}", "DEV"),
        ("${env.count + 1}", 4),
        ("${env.zones | map('upper')}", ["A", "B"]),
        ("${env.name ~ '}'}", "dev}"),
        ("${env.missing | default('none')}", "none"),
        ("${process.MISSING | default('none')}", "none"),
        ("${process.HOME}", "/h"),
    ],
)
def test_text_that_is_one_expression_becomes_its_value(text, expected):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-${env.name}-${env.count}", "x-dev-3"),
        ("on=${env.on}", "on=true"),
        ("rate=${env.rate}", "rate=0.10"),
        ("${env.rate ~ '-x'}", "0.10-x"),
        ("${env.on ~ '-x'}", "true-x"),
        (" ${env.count}", " 3"),
    ],
)
def test_expression_inside_a_text_becomes_the_text_that_yaml_would_write(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "${{inputs.a}}",
        "${{parent.jobs.prep.outputs.o}}",
        "${{search_space.lr}}",
        "$[[--o ${{inputs.o}}]]",
        "${{ secrets.X }}",
        "${{env.name}}",
        "${HOME}",
        "${env}",
        "${env[0]}",
        "${var%.*}",
        "${var:-x}",
        "${user.home}",
        "$env.name",
        "$(env.name)",
        "{{ env.name }}",
        "{% if x %}",
        "$",
        "${",
    ],
)
def test_everything_else_stays_byte_identical(text):
    roots = {**ROOTS, "inputs": {"a": 5}, "parent": {}, "outputs": {}, "secrets": {"X": 1}}
    assert value(text, roots) == text
    assert value(f"a {text} b", roots) == f"a {text} b"
    assert not has_expressions(text)


def test_expression_beside_those_of_the_platform_is_the_only_one_replaced():
    text = "python t.py --a ${{inputs.a}} $[[--o ${{inputs.o}}]] --env ${env.name} ${HOME}"
    assert value(text) == text.replace("${env.name}", "dev")


def test_doubled_dollar_is_a_literal():
    assert value("$${env.name}") == "${env.name}"
    assert value("$${${env.name}}") == "${dev}"
    assert has_expressions("$${env.name}")


def test_value_is_never_evaluated_again():
    assert value("${var.x}", {"var": {"x": "${env.name}"}}) == "${env.name}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env.nam}", "${env.nam}: there is no value 'nam', did you mean 'name'?"),
        ("${env.nam | upper}", "${env.nam | upper}: there is no value 'nam', did you mean 'name'?"),
        ("${env.nested.item}", "${env.nested.item}: there is no 'item', did you mean 'items'?"),
        ("${env.name.x}", "${env.name.x}: there is no 'x' in a single value"),
        ("${var.lrr}", "${var.lrr}: there is no parameter 'lrr', did you mean 'lr'?"),
        ("${vars.lr}", "${vars.lr}: there is no root 'vars', did you mean 'var'?"),
        ("${process.MISSING}", "${process.MISSING}: environment variable 'MISSING' is not set"),
        ("${git.commit}", "${git.commit}: 'git' cannot be used here, only env, var, process"),
        ("${env.count > other}", "${env.count > other}: there is no 'other'; an expression knows"),
        ("a ${env.nothing}", "${env.nothing} is null and cannot be part of a text"),
        ("a ${env.nested}", "${env.nested} is a mapping and cannot be part of a text"),
        ("a ${env.zones}", "${env.zones} is a list and cannot be part of a text"),
        ("${env.nothing ~ 'x'}", "${env.nothing ~ 'x'}: null cannot be part of a text"),
        ("${env.name", "'${' is never closed"),
        ("${env.count +}", "${env.count +}: unexpected"),
        ("${env.count / 0}", "${env.count / 0}: division by zero"),
        ("${env.name.upper}", "${env.name.upper}: there is no 'upper' in a single value"),
    ],
)
def test_fault_names_the_expression_and_what_is_wrong(text, expected):
    assert refusal(text).startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        "${env.name.__class__}",
        "${env.zones.append(1)}",
        "${env.name.__class__.__mro__ | list}",
        "${env.name ~ cycler.__init__.__globals__}",
        "${env.name ~ range(3)}",
    ],
)
def test_expression_cannot_reach_python(text):
    assert refusal(text)


def test_other_environment_variables_are_not_listed_when_one_is_missing():
    assert "HOME" not in refusal("${process.HOM}")


def test_secret_is_kept_as_its_name_and_revealed_only_on_demand():
    text = value("postgres://u:${secret.PW}@${env.name}")
    assert text == "postgres://u:${secret.PW}@dev"
    assert isinstance(text, SecretText)
    assert [part for part in text.parts if isinstance(part, Secret)] == [Secret("PW")]
    assert text.reveal({"PW": "s3"}.__getitem__) == "postgres://u:s3@dev"


def test_value_that_looks_like_a_secret_is_not_one():
    assert not isinstance(value("x ${var.x}", {"var": {"x": "${secret.PW}"}}), SecretText)


def test_secret_cannot_be_computed_with():
    assert "a secret is not known here" in refusal("${secret.PW | upper}")


def test_signs_in_a_text_are_no_nesting():
    assert value("${env.name ~ '" + "-" * 60 + "'}") == "dev" + "-" * 60
    assert "nested too deeply" in refusal("${env.count + " + "-" * 60 + "1}")
