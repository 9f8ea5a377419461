"""Reading and writing YAML: types, places, refusals, and equality when parsed back."""

import codecs
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_kit import documents
from mlops_kit.documents import List, Map, Scalar
from mlops_kit.errors import DocumentError

HERE = Path("t.yml")


def root(text):
    """Return the root of a text of one document."""
    [document] = documents.parse(text, HERE)
    return document.root


def data(text):
    return documents.to_data(root(text))


def refusal(text):
    with pytest.raises(DocumentError) as caught:
        documents.parse(text, HERE)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("0.10", 0.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-4", 0.0001),
        ("1E3", 1000.0),
        ("!!int '5'", 5),
        ("!!float 5", 5.0),
    ],
)
def test_core_scalars_get_their_type(text, value):
    found = data(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "y",
        "010",
        "0x1F",
        "0o14",
        "0b1",
        "1_000",
        "12:30:45",
        "2024-01-01",
        ".inf",
        "1.2.3",
        "1e999",
    ],
)
def test_other_scalars_stay_text(text):
    assert data(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ["'5'", '"true"', "!!str 5", "'null'"])
def test_quoted_scalars_are_text(text):
    found = root(f"a: {text}").get("a")
    assert found.value == text.removeprefix("!!str ").strip("'\"")
    assert found.quoted


def test_written_text_is_kept_beside_the_value():
    found = root("a: 0.10").get("a")
    assert (found.value, found.text, found.quoted) == (0.1, "0.10", False)


def test_keys_are_text_whatever_they_look_like():
    assert data("on: 1\n1: 2\ntrue: 3\n") == {"on": 1, "1": 2, "true": 3}


def test_every_key_and_value_knows_its_line_and_column():
    tree = root("a:\n  b: 1\n  c:\n  - x\n  -   y\n")
    inner = tree.get("a")
    assert str(tree.key_place("a")) == "t.yml:1:1"
    assert str(inner.key_place("b")) == "t.yml:2:3"
    assert str(inner.get("b").place) == "t.yml:2:6"
    assert str(inner.get("c").items[1].place) == "t.yml:5:7"


def test_walk_yields_parents_first_in_the_order_written():
    paths = [path for path, _ in documents.walk(root("a: {b: [1, 2]}\nc: 3\n"))]
    assert paths == [(), ("a",), ("a", "b"), ("a", "b", 0), ("a", "b", 1), ("c",)]


def test_a_file_may_hold_several_documents_and_empty_ones_do_not_count():
    found = documents.parse("---\na: 1\n---\n---\nb: 2\n---\n", HERE)
    assert [(each.index, documents.to_data(each)) for each in found] == [(0, {"a": 1}), (1, {"b": 2})]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_a_text_without_content_has_no_document(text):
    assert documents.parse(text, HERE) == ()


def test_duplicate_key_is_refused_with_both_lines():
    message = refusal("command: a\nname: x\ncommand: b\n")
    assert message == "t.yml:3:1: key 'command' is written twice, in line 1 and in line 3"


def test_duplicate_key_in_a_nested_flow_mapping_is_refused():
    assert "key 'a' is written twice, in line 2 and in line 2" in refusal("x:\n  y: [{a: 1, a: 2}]\n")


def test_override_after_a_merge_key_is_legal():
    text = "x-base: &base {a: 1, b: 2}\njob:\n  <<: *base\n  b: 3\n"
    assert data(text)["job"] == {"a": 1, "b": 3}


def test_first_of_several_merged_mappings_wins():
    text = "p: &p {a: 1}\nq: &q {a: 2, b: 2}\nr:\n  <<: [*p, *q]\n"
    assert data(text)["r"] == {"a": 1, "b": 2}


def test_merge_of_something_that_is_no_mapping_is_refused():
    assert "'<<' merges a mapping" in refusal("a:\n  <<: 3\n")


def test_aliases_share_their_value():
    assert data("a: &x [1, {b: 2}]\nc: *x\n")["c"] == [1, {"b": 2}]


def test_anchor_bomb_is_refused_quickly():
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 30):
        text += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n"
    assert "aliases expand to more than" in refusal(text)


def test_anchor_that_contains_itself_is_refused():
    assert "t.yml:1:4: this anchor contains itself" in refusal("a: &x [*x]\n")


def test_large_document_without_aliases_is_read():
    assert len(data("a:\n" + "- 1\n" * 100_000)["a"]) == 100_000


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "- " * 20_000, "a:\n" + "".join("  " * n + "- \n" for n in range(500))]
)
def test_bottomless_nesting_is_refused(text):
    assert "nest" in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1, 2\nb: 3\n", "t.yml:2:2: malformed YAML: did not find expected ',' or ']'"),
        ("a: b: c\n", "t.yml:1:5: malformed YAML: mapping values are not allowed"),
        ("a: *nowhere\n", "t.yml:1:4: malformed YAML: found undefined alias"),
        ("a: 1\nb: \x01\n", "t.yml:2: malformed YAML: control characters are not allowed"),
        ("a: !!binary aGk=\n", "t.yml:1:4: the tag !!binary is not supported"),
        ("a: !!set {x, y}\n", "t.yml:1:4: the tag !!set is not supported"),
        ("a: !!int x\n", "t.yml:1:4: 'x' is not a value of type !!int"),
        ("? [a, b]\n: 1\n", "t.yml:1:3: a key must be text"),
        ("a: '\ud800'\n", "t.yml:1: malformed YAML: a surrogate"),
    ],
)
def test_malformed_yaml_is_one_line_with_its_place(text, expected):
    assert expected in refusal(text)


def test_a_tab_that_indents_is_called_a_tab():
    assert refusal("a:\n\tb: 1\n") == "t.yml:2:1: malformed YAML: a tab cannot indent, use blanks"


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "a.yml"
    path.write_bytes(codecs.BOM_UTF8 + "a: ü\r\nb: |\r\n  x\r\n  y\r\n".encode())
    [document] = documents.load(path)
    assert documents.to_data(document) == {"a": "ü", "b": "x\ny\n"}
    assert isinstance(document.root, Map)
    assert document.root.key_place("b").line == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_name(tmp_path, encoding):
    path = tmp_path / "a.yml"
    path.write_bytes("a: 1\n".encode(encoding))
    with pytest.raises(DocumentError, match=r"UTF-16.* save it as UTF-8"):
        documents.load(path)


def test_byte_that_is_not_utf_8_is_named_with_its_line(tmp_path):
    path = tmp_path / "a.yml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(DocumentError) as caught:
        documents.load(path, shown="a.yml")
    assert str(caught.value) == "a.yml:2:7: byte 0xe9 is not UTF-8"


def test_missing_file_and_folder_are_faults_of_the_file(tmp_path):
    with pytest.raises(DocumentError, match=r"none\.yml: no such file"):
        documents.load(tmp_path / "none.yml")
    with pytest.raises(DocumentError, match="cannot be read: is a directory"):
        documents.load(tmp_path)


@pytest.mark.parametrize(
    "value",
    ["no", "010", "12:30:45", "1e3", "2024-01-01", "true", "null", "~", "", "<<", "=", "- a", "a: b", "a #b", "0x1F"],
)
def test_text_that_looks_like_something_else_is_quoted(value):
    text = documents.dump([{"a": value}])
    assert yaml.safe_load(text) == {"a": value}
    assert data(text) == {"a": value}


@pytest.mark.parametrize(
    ("written", "dumped"),
    [("0.10", "0.10"), ("1e-5", "1.0e-05"), ("TRUE", "true"), ("~", "null"), (".5", "0.5"), ("1E+22", "1.0e+22")],
)
def test_typed_scalar_keeps_its_text_where_both_versions_read_it_alike(written, dumped):
    assert documents.dump([root(f"a: {written}")]) == f"a: {dumped}\n"


def test_block_text_stays_block_text():
    text = "command: |\n  one: 1\n  two # 2\n"
    assert documents.dump([root(text)]) == text


def test_local_tags_survive_a_round_trip():
    text = "a: !replace\n  b: 1\nc: !append\n- 2\n"
    assert documents.dump([root(text)]) == text


def test_documents_are_joined_by_their_separator():
    assert documents.dump([{"a": 1}, {"b": 2}]) == "a: 1\n---\nb: 2\n"


def test_values_that_yaml_cannot_hold_are_refused():
    for value in (float("inf"), float("nan"), {1, 2}, b"x"):
        with pytest.raises(DocumentError, match="is not a value that YAML can hold"):
            documents.dump([{"a": value}])


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff")) | st.text(
    string.printable.replace("\x0b", "").replace("\x0c", "").replace("\r", "")
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
_DATA = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=12)


@given(_DATA)
@settings(max_examples=300, deadline=None)
def test_dump_is_equal_when_read_back_by_both_versions_of_yaml(value):
    text = documents.dump([{"value": value}])
    assert data(text) == {"value": value}
    assert yaml.safe_load(text) == {"value": value}
    assert documents.dump([root(text)]) == text


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_in_one_line(text):
    message = ""
    try:
        documents.parse(text, HERE)
    except DocumentError as error:
        message = str(error)
    assert "\n" not in message


def test_nodes_are_values():
    assert root("a: [1, x]") == root("a: [1, x]")
    assert isinstance(root("a: [1]"), Map)
    assert isinstance(root("[1]"), List)
    assert hash(root("a: 1").get("a")) == hash(Scalar(1, "1", root("a: 1").get("a").place))
