"""What a version specifier allows."""

import pytest

from mlops_kit.checks.versions import EVERYTHING, Span, span

END = float("inf")


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("", EVERYTHING),
        ("==1.2", Span((1, 2), (1, 2))),
        ("==1.2.*", Span((1, 2), (1, 2, END))),
        ("=1.2", Span((1, 2), (1, 2, END))),
        ("=1.2=py311_0", Span((1, 2), (1, 2, END))),
        (" 1.2.*", Span((1, 2), (1, 2, END))),
        (">=1.2,<2", Span((1, 2), (1, END))),
        ("<3.9", Span((0,), (3, 8, END))),
        ("<2.0", Span((0,), (1, END))),
        ("~=1.4.2", Span((1, 4, 2), (1, 4, END))),
        ("(>=1.0)", Span((1, 0), (END,))),
        ("!=1.5", EVERYTHING),
        ("1.2|1.3", EVERYTHING),
        ("latest", EVERYTHING),
        ("<=1.60.0.post1", Span((0,), (1, 60, 0))),
    ],
)
def test_a_specifier_spans_the_versions_between_its_bounds(specifier, expected):
    assert span(specifier) == expected


def test_versions_are_compared_as_numbers():
    assert span("==1.9").is_within(span("<1.10"))
    assert not span("==1.10").is_within(span("<1.9"))
