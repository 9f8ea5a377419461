"""Pictures of what waits for what."""

import re
from xml.etree import ElementTree as ET

from mlops_kit.layered import Box, picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(needs, **more):
    boxes = {name: Box(name, "", "#fff") for name in needs}
    return ET.fromstring(picture("A & B", boxes, needs, **more))  # noqa: S314  our own


def corners(tree):
    """Return where the box of each title is; the first rectangle is the ground."""
    boxes = [(int(one.get("x")), int(one.get("y"))) for one in tree.findall(f"{SVG}rect")[1:]]
    titles = [one.text for one in tree.findall(f"{SVG}text") if one.text]
    return dict(zip(titles, boxes, strict=True))


def test_what_waits_stands_to_the_right_of_what_it_waits_for():
    places = corners(drawn({"c": {"b"}, "b": {"a"}, "a": set(), "d": {"a"}}))
    assert places["a"][0] < places["b"][0] == places["d"][0] < places["c"][0]


def test_boxes_of_a_column_do_not_overlap_and_keep_their_order():
    places = corners(drawn({"z": set(), "a": set(), "m": set()}))
    assert places["z"][1] < places["a"][1] < places["m"][1]
    assert places["a"][1] - places["z"][1] > 40


def test_each_need_is_a_line_except_to_what_is_unlined():
    needs = {"a": set(), "b": {"a"}, "c": {"a", "b"}}
    assert len(drawn(needs).findall(f"{SVG}path")) == 3
    assert len(drawn(needs, unlined=["c"]).findall(f"{SVG}path")) == 1


def test_text_of_a_person_is_escaped():
    text = picture("t", {"x": Box("<b>", "a & b", "#fff", '"<i>"')}, {"x": ()})
    ET.fromstring(text)  # noqa: S314
    assert re.search(r"&lt;b&gt;.*a &amp; b", text, re.DOTALL)
