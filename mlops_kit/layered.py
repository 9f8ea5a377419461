"""A picture of what waits for what, as SVG: boxes in columns, what comes first on the left. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TypeVar

_WIDTH, _HEIGHT, _GAP, _ROW, _MARGIN = 206, 40, 74, 54, 24

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Box:
    """What stands for one thing: two lines, a colour, and what is said where a pointer rests on it."""

    title: str
    below: str
    fill: str
    hint: str = ""


def picture(
    title: str, boxes: Mapping[Key, Box], needs: Mapping[Key, Collection[Key]], unlined: Collection[Key] = ()
) -> str:
    """Return boxes and a line for each need as SVG; no lines lead to those that are ``unlined``.

    There must be at least one box, and no cycle. Boxes of one column stand in their order, as far as lines allow.
    """
    columns = _columns(boxes, needs)
    places = {key: _corner(x, row) for x, column in enumerate(columns) for key, row in column.items()}
    width = len(columns) * (_WIDTH + _GAP) - _GAP + 2 * _MARGIN
    height = max(map(len, columns)) * _ROW + 2 * _MARGIN
    order = {key: index for index, key in enumerate(boxes)}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    lines += [
        _edge(places[need], places[key])
        for key in boxes
        for need in sorted(needs[key], key=order.__getitem__)
        if key not in unlined
    ]
    lines += [part for key, box in boxes.items() for part in _drawn(box, places[key])]
    return "\n".join([*lines, "</svg>", ""])


def _columns(boxes: Mapping[Key, Box], needs: Mapping[Key, Collection[Key]]) -> list[dict[Key, float]]:
    """Return the boxes by how many others come before, with their rows: beside what they wait for, in the middle."""

    @cache
    def depth(key: Key) -> int:
        return 1 + max((depth(one) for one in needs[key]), default=-1)

    members: list[list[Key]] = [[] for _ in range(1 + max(map(depth, boxes)))]
    for key in boxes:
        members[depth(key)].append(key)
    highest = max(map(len, members))
    rows: dict[Key, float] = {}
    columns = []
    for column in members:
        wished = sorted(column, key=lambda key: _mean([rows[one] for one in needs[key]]))
        columns.append({key: (highest - len(column)) / 2 + index for index, key in enumerate(wished)})
        rows |= columns[-1]
    return columns


def _mean(rows: list[float]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _corner(column: int, row: float) -> tuple[int, int]:
    return _MARGIN + column * (_WIDTH + _GAP), round(_MARGIN + row * _ROW)


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = start, end
    x, y, to_y = x + _WIDTH, y + _HEIGHT // 2, to_y + _HEIGHT // 2
    bend = _GAP * 2 // 3
    path = f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path d="{path}" fill="none" stroke="#9aa0a6" stroke-width="1.2"/>'


def _drawn(box: Box, place: tuple[int, int]) -> Iterator[str]:
    x, y = place
    hint = f"<title>{escape(box.hint)}</title>" if box.hint else ""
    yield (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{box.fill}"'
        f' stroke="#5f6368">{hint}</rect>'
    )
    middle = x + _WIDTH // 2
    title, below = escape(box.title), escape(box.below)
    yield f'<text x="{middle}" y="{y + 17}" text-anchor="middle" font-size="12">{title}</text>'
    yield f'<text x="{middle}" y="{y + 32}" text-anchor="middle" font-size="10" fill="#5f6368">{below}</text>'
