"""The command line of a job: expressions, optional groups, and what is refused."""

from __future__ import annotations

import pytest

from mlops_kit.local.runs import command_line
from mlops_kit.local.runs.command_line import UnboundError

BOUND = {"inputs.req": "x", "inputs.opt": "5", "inputs.none": None, "outputs.o": "/o"}


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("t --req ${{inputs.req}} $[[--opt ${{inputs.opt}}]] --end", "t --req x --opt 5 --end"),
        ("t --req ${{inputs.req}} $[[--opt ${{inputs.none}}]] --end", "t --req x --end"),
        ("t --req ${{inputs.req}}$[[--opt ${{inputs.opt}}]]--end", "t --req x --opt 5 --end"),
        ("t --req ${{inputs.req}} $[[ --opt ${{inputs.opt}} ]]", "t --req x --opt 5"),
        ("t --req ${{inputs.req}} $[[--opt ${{inputs.none}}]]", "t --req x"),
        ("$[[--opt ${{inputs.opt}}]] t", "--opt 5 t"),
        ("t \\\n  $[[--opt ${{inputs.none}}]] \\\n  --end", "t \\\n\\\n  --end"),
        ("t $[[--a ${{inputs.opt}} --b ${{inputs.none}}]]", "t"),
        ("t $[[--left ${{inputs.out}}]] --end", "t --end"),
        ("cp ${{ inputs.req }} ${{outputs.o}}/a", "cp x /o/a"),
        ("echo ${HOME} $(date) $x", "echo ${HOME} $(date) $x"),
    ],
)
def test_expressions_are_replaced_and_groups_keep_their_blanks(command, line):
    assert command_line.rendered(command, BOUND) == line


def test_an_unknown_name_is_told_with_those_that_exist():
    with pytest.raises(UnboundError, match=r"'inputs.wrong', which the job does not have \(it has: inputs.none, "):
        command_line.rendered("t ${{inputs.wrong}}", BOUND)


def test_an_input_without_a_value_outside_a_group_is_told_where_it_belongs():
    with pytest.raises(UnboundError, match=r"'inputs.none', which has no value; put it into an optional group"):
        command_line.rendered("t ${{inputs.none}}", BOUND)


def test_a_value_is_not_read_as_an_expression_again():
    assert command_line.rendered("t ${{inputs.a}}", {"inputs.a": "${{inputs.b}}"}) == "t ${{inputs.b}}"
