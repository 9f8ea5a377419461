"""The expression language of ARM templates, one row per rule of Microsoft's template reference."""

from __future__ import annotations

import pytest

from mlops_kit.local.arm.template_functions import FUNCTIONS
from mlops_kit.local.arm.template_language import TemplateError, check, evaluate

_VALUES = {"text": "abc", "list": [1, 2, 3], "object": {"One": {"two": [10, 20]}}, "none": None}


def _evaluate(value):
    return evaluate(value, {**FUNCTIONS, "variables": _VALUES.__getitem__}, "here")


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("plain text", "plain text"),
        ("[[not an expression]", "[not an expression]"),
        ("[concat('a', 'b''c', '-1')]", "ab'c-1"),
        ("[concat(createArray(1), createArray(2, 3))]", [1, 2, 3]),
        ("[CONCAT('a', 'B')]", "aB"),
        ("[variables('object').one.two[1]]", 20),
        ("[variables('object')['One']['TWO'][0]]", 10),
        ("[if(equals('a', 'A'), 'same', 'other')]", "other"),
        ("[if(true(), 'chosen', variables('missing'))]", "chosen"),
        ("[and(true(), not(false()))]", True),
        ("[or(false(), false())]", False),
        ("[or(true(), variables('missing'))]", True),
        ("[equals(1, 1)]", True),
        ("[equals(1, '1')]", False),
        ("[equals(createObject('a', 1), json('{\"a\": 1}'))]", True),
        ("[coalesce(null(), variables('none'), 'x')]", "x"),
        ("[empty('')]", True),
        ("[empty(json('null'))]", True),
        ("[empty(variables('list'))]", False),
        ("[contains('abc', 'b')]", True),
        ("[contains(variables('object'), 'one')]", True),
        ("[contains(variables('list'), 2)]", True),
        ("[length('abc')]", 3),
        ("[first(variables('list'))]", 1),
        ("[last('abc')]", "c"),
        ("[first('')]", ""),
        ("[skip(variables('list'), 1)]", [2, 3]),
        ("[take('abc', 2)]", "ab"),
        ("[range(3, 2)]", [3, 4]),
        ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
        ("[union(createObject('a', 1), createObject('b', 2))]", {"a": 1, "b": 2}),
        ("[intersection(createArray(1, 2), createArray(2, 3))]", [2]),
        ("[join(createArray('a', 'b'), '-')]", "a-b"),
        ("[split('a-b_c', createArray('-', '_'))]", ["a", "b", "c"]),
        ("[indexOf('Test', 'ST')]", 2),
        ("[lastIndexOf('abab', 'b')]", 3),
        ("[replace('a-b', '-', '')]", "ab"),
        ("[substring('abcdef', 2, 3)]", "cde"),
        ("[padLeft('7', 3, '0')]", "007"),
        ("[startsWith('Abc', 'aB')]", True),
        ("[endsWith('abC', 'c')]", True),
        ("[toLower('AbC')]", "abc"),
        ("[toUpper('AbC')]", "ABC"),
        ("[trim('  a ')]", "a"),
        ("[format('{0}-{1:D3}-{0}', 'x', 7)]", "x-007-x"),
        ("[format('{{{0}}}', 'a')]", "{a}"),
        ("[string(createObject('a', createArray(1, true())))]", '{"a":[1,true]}'),
        ("[string(true())]", "True"),
        ("[int('42')]", 42),
        ("[bool('true')]", True),
        ("[add(2, -5)]", -3),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[max(createArray(1, 5, 3))]", 5),
        ("[min(4, 2)]", 2),
        ("[base64ToString(base64('hi'))]", "hi"),
        ("[uri('https://a.test/b/', 'c.json')]", "https://a.test/b/c.json"),
        ("[uri('https://a.test/b', 'c.json')]", "https://a.test/b/c.json"),
        ("[uriComponent('a b/c')]", "a%20b%2Fc"),
        ("[objectKeys(createObject('b', 1, 'A', 2))]", ["A", "b"]),
        ("[items(createObject('b', 1))]", [{"key": "b", "value": 1}]),
        ("[array('a')]", ["a"]),
        ("[ concat( 'a' , 'b' ) ]", "ab"),
    ],
)
def test_expression_has_the_result_that_the_reference_gives(expression, result):
    found = _evaluate(expression)
    assert found == result
    assert type(found) is type(result)


def test_expressions_are_found_at_any_depth_and_in_keys():
    value = {"[concat('a', '1')]": [{"x": "[add(1, 2)]"}, "y"], "kept": 5}
    assert _evaluate(value) == {"a1": [{"x": 3}, "y"], "kept": 5}


def test_guid_is_the_version_5_uuid_that_azure_makes():
    # Azure: uuid5 in the namespace 11fb06fb-712d-4ddd-98c7-e71bbd588830 of the arguments joined by hyphens
    assert _evaluate("[guid('a', 'b')]") == "2d796349-8c7e-55ec-9624-54ece82ed031"


def test_unique_string_has_13_characters_and_depends_on_its_arguments_only():
    first, again, other = (_evaluate(f"[uniqueString('a', '{part}')]") for part in ("b", "b", "c"))
    assert first == again != other
    assert len(first) == 13
    assert first == first.lower()


def test_new_guid_is_new_each_time():
    assert _evaluate("[newGuid()]") != _evaluate("[newGuid()]")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("[concat('a' 'b')]", "',' is needed before 'b'"),
        ("[concat('a']", r"',' is needed before '\]'|it ends too early"),
        ("[concat('a')) ]", r"'\)' is left over"),
        ("['open]", "is not understood"),
        ("[variables('object').three]", "there is no property 'three'; there are: One"),
        ("[variables('list')[7]]", "'7' cannot be taken from an array of 3"),
        ("[substring('abc', 2, 9)]", r"substring\('abc', 2, 9\) cannot be evaluated: the text has 3 characters"),
        ("[int('x')]", r"int\('x'\) cannot be evaluated"),
        ("[div(1, 0)]", "cannot be evaluated"),
        ("[if('yes', 1, 2)]", "true or false is needed, not 'yes'"),
        ("[if(true(), 1)]", "'if' takes 3 arguments, not 2"),
        ("[toLower('a', 'b')]", "cannot be evaluated"),
    ],
)
def test_fault_is_one_sentence_with_the_place(expression, told):
    with pytest.raises(TemplateError, match=told) as fault:
        evaluate({"location": [expression]}, {**FUNCTIONS, "variables": _VALUES.__getitem__}, "resources[2]")
    assert fault.value.message.startswith("Deployment template at resources[2].location[0]: ")
    assert fault.value.status == 400


def test_unknown_function_is_found_before_anything_is_evaluated():
    template = {"a": "[if(false(), concat(toLoer('A')), 'b')]"}
    with pytest.raises(TemplateError, match=r"outputs\.a: the function 'toLoer' is not known.*'tolower'"):
        check(template, frozenset(FUNCTIONS) | {"if"}, "outputs")
