"""Commands as a shell gets them: groups, quotes, lines; environment variables."""

import json
import time

import pytest


def job(command: str, more: str = "") -> str:
    return f"command: {command}\nenvironment: azureml:e@latest\n{more}"


def component(command: str) -> str:
    return (
        f"type: command\nname: a\ncommand: {command}\nenvironment: azureml:e@latest\n"
        "inputs:\n  req: {type: string}\n  opt: {type: integer, optional: true}\n"
    )


class TestOptionalInputs:
    """R10."""

    def test_a_group_set_apart_by_blanks_passes(self, folder):
        assert (
            folder.found(
                component("python t.py --req ${{inputs.req}} $[[--opt ${{inputs.opt}}]] --end"), "components/a.yml"
            )
            == []
        )

    def test_a_group_in_quotes_passes(self, folder):
        assert (
            folder.found(
                component("t ${{inputs.req}} \"$[[${{inputs.opt}}]]\" '$[[${{inputs.opt}}]]'"), "components/a.yml"
            )
            == []
        )

    @pytest.mark.parametrize(
        ("command", "finding"),
        [
            (
                "t --req ${{inputs.req}} --opt ${{inputs.opt}}",
                "3:40: error[MK0305]: the input `opt` is optional and stands outside",
            ),
            (
                "t ${{inputs.req}}$[[--opt ${{inputs.opt}}]]",
                "3:27: warning[MK0306]: `$[[--opt ${{inputs.opt}}]]` touches the next word",
            ),
            (
                "t ${{inputs.req}} $[[--opt ${{inputs.opt}}]]--end",
                "3:28: warning[MK0306]: `$[[--opt ${{inputs.opt}}]]` touches the next",
            ),
            (
                "t ${{inputs.req}} $[[--opt${{inputs.opt}}]]",
                "3:31: warning[MK0306]: no blank between `--opt` and its value",
            ),
            (
                "t ${{inputs.req}} $[[--opt ${{inputs.opt}}",
                "3:28: error[MK0323]: `$[[--opt ${{inputs.opt}}` lacks its end; write",
            ),
            (
                "t ${{inputs.req}} $[[--opt ${{inputs.opt}}]",
                "3:28: error[MK0323]: `$[[--opt ${{inputs.opt}}]` lacks its end",
            ),
        ],
    )
    def test_a_group_that_would_not_work_is_one_finding(self, folder, command, finding):
        (found,) = folder.found(component(command), "components/a.yml")
        assert found.startswith(finding)

    def test_the_arguments_of_a_parallel_task_read_the_inputs_beside_the_task(self, folder):
        folder.put("components/src/run.py", "def init(): ...\n\n\ndef run(batch): ...\n")
        text = (
            "type: parallel\nname: a\ninputs:\n  data: {type: uri_folder}\n  opt: {type: integer, optional: true}\n"
            "outputs: {o: {type: uri_file}}\ninput_data: ${{inputs.data}}\nmini_batch_size: '1'\n"
            "task:\n  type: run_function\n  code: src\n  entry_script: run.py\n  environment: azureml:e@latest\n"
            "  program_arguments: --opt ${{inputs.opt}}\n"
        )
        (found,) = [line for line in folder.found(text, "components/a.yml") if "MK03" in line]
        assert found.startswith(
            "14:28: error[MK0305]: the input `opt` is optional and stands outside of a $[[ ]] group"
        )


class TestQuotes:
    @pytest.mark.parametrize(
        ("command", "place"),
        [
            ("""python t.py --name "first""", "1:29"),
            ("""python t.py --name 'first "try\"""", "1:29"),
            ("""echo it's done""", "1:17"),
            ("""python t.py "a" 'b""", "1:26"),
            ("""python t.py --x "${{inputs.x}}""", "1:26"),
        ],
    )
    def test_a_quote_without_its_end_is_an_error_where_it_stands(self, folder, command, place):
        (found,) = folder.found(job(command, "inputs: {x: 1}\n" if "inputs" in command else ""))
        assert found.startswith(f"{place}: error[MK0322]: the quote before `")

    @pytest.mark.parametrize(
        "command",
        [
            """python -c "print('a')" && echo 'it is "so"'""",
            r"""echo it\'s "a \" b" '\'""",
            """python t.py --x "${{inputs.x}}" $[[--y "${{inputs.x}}"]]""",
            """|
  echo a  # don't
  echo "two
  lines"
""",
            """echo a#b "c" """,
            """echo $(python -c "print(\\"it's\\")") "a"b""",
            """|
  cat <<EOF
  it's
  EOF
""",
            """echo $'it\\'s'""",
            """|
  export A="x y"; python t.py --json '{"a": [1, 2]}'
""",
        ],
    )
    def test_quotes_with_their_ends_pass(self, folder, command):
        assert folder.found(job(command, "inputs: {x: 1}\n" if "inputs" in command else "")) == []


class TestFolding:
    @pytest.mark.parametrize("block", [">", ">-", ">+"])
    def test_commands_on_lines_of_a_folded_block_are_told(self, folder, block):
        (found,) = folder.found(job(f"{block}\n  pip install -r requirements.txt\n  python train.py --epochs 5\n"))
        assert found == (
            "3:3: warning[MK0324]: the block is folded, so `python train.py --epochs 5` becomes an argument of the "
            "line before; write `|` for `>`, or end the line before with `&&`"
        )

    @pytest.mark.parametrize(
        "command",
        [
            "|\n  pip install x\n  python train.py\n",
            ">\n  pip install x &&\n  python train.py\n",
            ">\n  pip install x;\n  python train.py\n",
            ">\n  ls data |\n  python train.py\n",
            ">\n  pip install x\n  && python train.py\n",
            ">\n  pip install x\n\n  python train.py\n",
            ">\n  python train.py\n  --data python --out x\n",
            ">\n  conda run -n env\n  python train.py --x\n",
            ">\n  torchrun --nproc 2\n  train.py\n",
            ">\n  bash -c\n  'python train.py'\n",
            ">\n  pip install x\n    python train.py\n",
            "pip install python cat\n",
        ],
    )
    def test_lines_that_go_on_pass(self, folder, command):
        assert folder.found(job(command)) == []

    def test_a_carriage_return_and_a_backslash_before_blanks_are_told(self, folder):
        """R49."""
        (found,) = folder.found(job('"python a.py\\r\\npython b.py"'))
        assert "MK0602" in found
        (found,) = folder.found(job("|\n  python a.py \\ \n  --x 1\n"))
        assert "MK0602" in found


class TestLongCommands:
    @pytest.mark.parametrize(
        "piece",
        ["${{", "${{ ", "${{inputs.a", "$[[", "$[[ ]", "'", '"', "\\'", "#", " --a", "echo x ", "}}/", "]]", " " * 9],
    )
    @pytest.mark.parametrize("end", ["", "}}", "]]"])
    def test_a_command_of_one_piece_many_times_is_checked_at_once(self, folder, piece, end):
        began = time.perf_counter()
        folder.found(job(json.dumps(f"python ${{{{ {piece * 8000}{end}")))
        assert time.perf_counter() - began < 5


class TestBelowFiles:
    """R28: a file is no folder."""

    @pytest.mark.parametrize(("port", "more"), [("inputs", ", path: azureml:a:1"), ("outputs", "")])
    def test_a_command_that_looks_below_a_file_is_an_error(self, folder, port, more):
        text = (
            f"command: run ${{{{{port}.x}}}}/a.csv\nenvironment: azureml:e@latest\n{port}:\n  x: {{type: KIND{more}}}\n"
        )
        assert folder.found(text.replace("KIND", "uri_file")) == [
            (
                f"1:14: error[MK0327]: `${{{{{port}.x}}}}` is a file, and the command looks for something below it; "
                "declare `x` as uri_folder, or end with it"
            )
        ]
        assert folder.found(text.replace("KIND", "uri_folder")) == []
        assert folder.found(text.replace("KIND", "uri_file").replace("/a.csv", " /a.csv")) == []


class TestEnvironmentVariables:
    """R09."""

    STEP = (
        "type: pipeline\njobs:\n  a:\n    command: echo\n    environment: azureml:e@latest\n"
        "    environment_variables: {}\n"
    )

    @pytest.mark.parametrize("value", ["~", "null", ""])
    def test_a_variable_without_value_is_an_error(self, folder, value):
        found = folder.found(self.STEP.replace("{}", f"\n      Z: {value}"))
        assert found == ['7:7: error[MK0601]: environment variable `Z` has no value; write "" for an empty text']
