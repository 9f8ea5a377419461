"""Steps of a pipeline fit together: no circles, values and types that components take, outputs that one step writes."""

import pytest

FIT = """\
type: command
name: fit
command: >-
  fit ${{inputs.table}} ${{inputs.depth}} ${{inputs.rate}} ${{inputs.loss}} ${{inputs.shuffle}} ${{inputs.title}}
  $[[--seed ${{inputs.seed}}]] $[[--first ${{inputs.first}}]] ${{outputs.model}}
environment: azureml:sklearn@latest
inputs:
  table: {type: uri_folder}
  depth: {type: integer, default: 3, min: 1, max: 10}
  rate: {type: number, default: 0.1, min: 0}
  loss: {type: string, default: gini, enum: [gini, entropy]}
  shuffle: {type: boolean, default: true}
  title: {type: string, default: none}
  seed: {type: integer, optional: true}
  first: {type: mlflow_model, optional: true}
outputs:
  model: {type: mlflow_model}
"""
TABLE = "{type: uri_folder, path: azureml:patients:1}"


@pytest.fixture
def project(folder):
    folder.put("components/fit.yml", FIT)
    return folder


def fit(given: str, *, top: str = "", table: str = TABLE, more: str = "") -> str:
    """Return a pipeline of one step that runs the component; ``given`` is one more of its inputs."""
    return (
        f"type: pipeline\n{top}jobs:\n  fit:\n    type: command\n    component: ../components/fit.yml\n"
        f"    inputs:\n      table: {table}\n{given and f'      {given}'}\n{more}"
    )


def chain(*edges: str) -> str:
    """Return a pipeline of steps; ``ab`` lets the step b read the output of a."""
    lines = ["type: pipeline", "jobs:"]
    for name in sorted(set("".join(edges))):
        reads = [edge[0] for edge in edges if edge[1] == name]
        inputs = ", ".join(f'{other}: "${{{{parent.jobs.{other}.outputs.o}}}}"' for other in reads)
        uses = " ".join(f"${{{{inputs.{other}}}}}" for other in reads)
        lines += [
            f"  {name}:",
            f"    command: run {uses} ${{{{outputs.o}}}}",
            "    environment: azureml:e@latest",
            f"    inputs: {{{inputs}}}",
            "    outputs: {o: {type: uri_folder}}",
        ]
    return "\n".join(lines) + "\n"


class TestCircles:
    """L6-01: a circle is refused with its path."""

    @pytest.mark.parametrize(
        ("edges", "path"),
        [
            (("ab", "ba"), "a -> b -> a"),
            (("ab", "bc", "ca"), "a -> b -> c -> a"),
            (("ab", "bc", "cb"), "b -> c -> b"),
            (("ab", "bc", "cd", "db", "ad"), "b -> c -> d -> b"),
        ],
    )
    def test_a_circle_is_one_finding_with_its_path(self, folder, edges, path):
        (found,) = folder.found(chain(*edges))
        assert f"error[MK0307]: the steps wait for each other: {path};" in found

    def test_a_step_that_reads_itself_is_a_circle_of_one(self, folder):
        (found,) = folder.found(chain("aa"))
        assert found.startswith("6:18: error[MK0307]: the step waits for itself: a -> a;")

    def test_two_circles_are_two_findings(self, folder):
        found = folder.found(chain("ab", "ba", "cd", "dc"))
        assert [line.split("other: ")[1].split(";")[0] for line in found] == ["a -> b -> a", "c -> d -> c"]

    def test_circles_that_share_a_step_are_one_group_and_one_finding(self, folder):
        assert len(folder.found(chain("ab", "ba", "bc", "cb"))) == 1

    @pytest.mark.parametrize("edges", [("ab", "ac", "bd", "cd"), ("ab", "bc", "ac"), ("ba", "cb")])
    def test_steps_in_any_order_without_a_circle_pass(self, folder, edges):
        assert folder.found(chain(*edges)) == []

    def test_a_long_chain_is_checked_fast(self, folder):
        steps = [
            f"  s{n}: {{component: 'azureml:c:1', inputs: {{i: '${{{{parent.jobs.s{n - 1}.outputs.o}}}}'}}}}"
            for n in range(1, 400)
        ]
        assert folder.found("type: pipeline\njobs:\n  s0: {component: 'azureml:c:1'}\n" + "\n".join(steps)) == []


class TestComponentsThatRunThemselves:
    def _put(self, folder, name: str, *others: str) -> str:
        steps = "".join(f"  s{n}: {{type: pipeline, component: ./{other}.yml}}\n" for n, other in enumerate(others))
        text = f"type: pipeline\nname: {name}\njobs:\n{steps}"
        folder.put(f"components/{name}.yml", text)
        return text

    def test_a_circle_of_files_is_an_error_with_its_path(self, folder):
        text = self._put(folder, "a", "b")
        self._put(folder, "b", "c", "a")
        self._put(folder, "c", "c")
        (found,) = folder.found(text, "components/a.yml")
        assert found.startswith("4:35: error[MK0328]: the component runs itself: a.yml -> b.yml -> a.yml;")
        (found,) = folder.found(self._put(folder, "c", "c"), "components/c.yml")
        assert "c.yml -> c.yml" in found

    def test_a_component_that_two_others_run_is_no_circle(self, folder):
        text = self._put(folder, "a", "b", "c")
        self._put(folder, "b", "d")
        self._put(folder, "c", "d")
        folder.put("components/d.yml", "type: pipeline\nname: d\njobs: {x: {component: 'azureml:e:1'}}\n")
        assert folder.found(text, "components/a.yml") == []


class TestValues:
    @pytest.mark.parametrize(
        ("given", "finding"),
        [
            ("depth: deep", "MK0308]: input `depth` is `deep`; expected an integer"),
            ("depth: 2.5", "MK0308]: input `depth` is `2.5`; expected an integer"),
            ("depth: true", "MK0308]: input `depth` is `true`; expected an integer"),
            ("rate: fast", "MK0308]: input `rate` is `fast`; expected a number"),
            ("shuffle: 1", "MK0308]: input `shuffle` is `1`; expected true or false"),
            ("shuffle: yes", "MK0308]: input `shuffle` is `yes`; expected true or false"),
            ("seed: 2024-01-01", "MK0308]: input `seed` is `2024-01-01`; expected an integer"),
            ("depth: 0", "MK0309]: input `depth` is `0`; expected 1 to 10"),
            ("depth: 11", "MK0309]: input `depth` is `11`; expected 1 to 10"),
            ("rate: -0.5", "MK0309]: input `rate` is `-0.5`; expected at least 0"),
            ("loss: gin", "MK0310]: input `loss` is `gin`; did you mean `gini`"),
            ("loss: squared", "MK0310]: input `loss` is `squared`; expected one of gini, entropy"),
            ("depth: {value: 12}", "MK0309]: input `depth` is `12`; expected 1 to 10"),
            ("depth: {path: 'azureml:a:1'}", "MK0311]: input `depth` is given data; expected an integer"),
            ("first: 3", "MK0311]: input `first` is `3`; expected data of type mlflow_model"),
            (
                "depth: {type: uri_file, path: 'azureml:a:1'}",
                "MK0311]: input `depth` is given data; expected an integer",
            ),
        ],
    )
    def test_a_value_that_the_component_does_not_take_is_one_finding(self, project, given, finding):
        (found,) = project.found(fit(given))
        line, column = found.split(":")[:2]
        assert (int(line), int(column) >= 12) == (8, True)
        assert found.endswith(finding)

    @pytest.mark.parametrize(
        "given",
        [
            "depth: 10",
            'depth: "5"',
            "depth: 5.0",
            "rate: 1",
            "rate: 1e-3",
            "shuffle: False",
            'shuffle: "true"',
            "title: 5",
            "title: 2024-01-01",
            "title: true",
            "loss: entropy",
            "first: {type: mlflow_model, path: 'azureml:m:1'}",
        ],
    )
    def test_a_value_that_fits_passes(self, project, given):
        """R13: a date is text, and text is what it stays."""
        assert project.found(fit(given)) == []

    def test_a_listed_truth_value_is_compared_as_the_service_gets_it(self, folder):
        folder.put(
            "components/a.yml",
            FIT.replace("enum: [gini, entropy]", "enum: ['True', 'False']").replace("gini", "'True'"),
        )
        text = fit("loss: VALUE").replace("fit.yml", "a.yml")
        assert folder.found(text.replace("VALUE", "false")) == []
        (found,) = folder.found(text.replace("VALUE", "0"))
        assert "MK0310" in found

    def test_a_wrong_value_of_the_pipeline_is_one_finding_where_it_stands(self, project):
        text = fit("depth: ${{parent.inputs.n}}\n      seed: ${{parent.inputs.n}}", top="inputs:\n  n: many\n")
        assert project.found(text) == [
            "3:6: error[MK0308]: `many` is no value for `depth` of the step `fit`, which reads it; expected an integer"
        ]

    def test_values_of_a_nested_pipeline_are_held_to_what_it_declares(self, project):
        nested = fit("depth: ${{parent.inputs.n}}", table="${{parent.inputs.table}}")
        head = "type: pipeline\nname: nested\ninputs:\n  table: {type: uri_folder}\n  n: {type: integer, max: 5}\n"
        project.put("components/nested.yml", nested.replace("type: pipeline\n", head, 1).replace("../components", "."))
        outer = (
            "type: pipeline\njobs:\n  a:\n    type: pipeline\n    component: ../components/nested.yml\n"
            f"    inputs: {{table: {TABLE}, n: 9}}\n"
        )
        assert project.found(outer) == ["6:70: error[MK0309]: input `n` is `9`; expected at most 5"]

    def test_a_pipeline_job_that_runs_a_component_is_held_to_it(self, project):
        text = f"type: pipeline\ncomponent: ../components/fit.yml\ninputs:\n  table: {TABLE}\n  depth: 3\n"
        (found,) = project.found(text)
        assert found.startswith("1:7: error[MK0316]: the step is of type `pipeline`")
        project.put("components/nested.yml", "type: pipeline\nname: n\ninputs: {n: {type: integer}}\njobs: {}\n")
        text = "type: pipeline\ncomponent: ../components/nested.yml\ninputs: {n: x}\n"
        assert project.found(text) == ["3:13: error[MK0308]: input `n` is `x`; expected an integer"]

    def test_values_that_are_filled_in_later_are_left_alone(self, project):
        """Another file is read as it stands, before it is rendered."""
        project.put("components/fit.yml", FIT.replace("max: 10", "max: '${var.most}'"))
        assert project.found(fit("depth: 100")) == []
        assert project.found(fit("depth: ${var.depth}")) == []
        project.put("components/fit.yml", FIT.replace("{type: uri_folder}", "{type: uri_folder, optional: '${var.o}'}"))
        assert project.found(fit("depth: 3").replace(f"      table: {TABLE}\n", "")) == []

    def test_a_component_that_is_not_at_hand_is_not_guessed_at(self, folder):
        text = fit("depth: deep").replace("../components/fit.yml", "azureml:fit:3")
        assert folder.found(text) == []


class TestDataOfTheRightType:
    @pytest.mark.parametrize(
        ("source", "finding"),
        [
            ("uri_folder", ""),
            ("mltable", ""),
            ("mlflow_model", ""),
            ("custom_model", ""),
            (
                "uri_file",
                (
                    "error[MK0312]: input `table` takes uri_folder, and `${{parent.inputs.t}}` is uri_file; "
                    "let both declare the same type"
                ),
            ),
        ],
    )
    def test_an_input_of_the_pipeline_goes_into_a_folder(self, project, source, finding):
        top = f"inputs:\n  t: {{type: {source}, path: azureml:t:1}}\n"
        assert project.found(fit("", top=top, table="${{parent.inputs.t}}")) == (
            [f"9:14: {finding}"] if finding else []
        )

    @pytest.mark.parametrize(
        ("source", "target", "fits"),
        [
            ("uri_file", "uri_file", True),
            ("uri_folder", "uri_file", False),
            ("mltable", "uri_file", False),
            ("uri_folder", "mltable", True),
            ("mltable", "mlflow_model", False),
            ("uri_file", "custom_model", True),
            ("custom_model", "mlflow_model", True),
            ("triton_model", "mlflow_model", False),
        ],
    )
    def test_an_output_of_a_step_goes_into_an_input_that_can_hold_it(self, project, source, target, fits):
        project.put("components/fit.yml", FIT.replace("table: {type: uri_folder}", f"table: {{type: {target}}}"))
        step = (
            "  prep:\n    command: prep ${{outputs.o}}\n    environment: azureml:e@latest\n"
            f"    outputs: {{o: {{type: {source}}}}}\n"
        )
        found = project.found(fit("", table="${{parent.jobs.prep.outputs.o}}", more=step))
        assert [line.split(": ")[1] for line in found] == ([] if fits else ["error[MK0312]"])

    def test_an_inline_step_says_itself_what_it_reads(self, folder):
        text = chain("ab").replace(
            'a: "${{parent.jobs.a.outputs.o}}"', "a: {type: uri_file, path: '${{parent.jobs.a.outputs.o}}'}"
        )
        (found,) = folder.found(text)
        assert "MK0312]: input `a` takes uri_file, and `${{parent.jobs.a.outputs.o}}` is uri_folder" in found

    def test_values_and_data_are_not_bound_to_each_other(self, project):
        top = f"inputs:\n  t: {TABLE}\n  n: 3\n"
        given = "depth: ${{parent.inputs.t}}"
        (found,) = project.found(fit(given, top=top, table="${{parent.inputs.t}}"))
        assert found.startswith(
            "11:14: error[MK0311]: input `depth` takes integer, and `${{parent.inputs.t}}` is uri_folder"
        )
        assert found.endswith("; bind it to a value")
        (found,) = project.found(fit("depth: ${{parent.inputs.n}}", top=top, table="${{parent.inputs.n}}"))
        assert found.startswith(
            "10:14: error[MK0311]: input `table` takes uri_folder, and `${{parent.inputs.n}}` is integer"
        )
        assert found.endswith("; bind it to data")

    @pytest.mark.parametrize(
        ("source", "port", "fits"),
        [
            ("integer", "rate", True),
            ("number", "depth", False),
            ("string", "depth", False),
            ("boolean", "title", True),
            ("integer", "shuffle", False),
        ],
    )
    def test_types_of_values_are_compared_where_the_value_comes_later(self, project, source, port, fits):
        head = f"type: pipeline\nname: outer\ninputs:\n  table: {{type: uri_folder}}\n  x: {{type: {source}}}\n"
        text = fit(f"{port}: ${{{{parent.inputs.x}}}}", table="${{parent.inputs.table}}").replace(
            "type: pipeline\n", head, 1
        )
        found = project.found(text.replace("../components", "."), "components/outer.yml")
        assert [line.split(": ")[1] for line in found] == ([] if fits else ["error[MK0308]"])

    def test_a_type_that_differs_from_the_component_s_is_a_warning(self, project):
        assert "MK0106" in project.found(fit("", table="{type: integer, path: azureml:a:1}"))[0]
        (found,) = project.found(fit("", table="{type: uri_file, path: azureml:a:1}"))
        assert found.startswith("7:21: warning[MK0312]: input `table` is given as uri_file, and the component declares")

    def test_a_text_for_data_is_a_path(self, project):
        project.put("data/a.csv")
        (missing,) = project.found(fit("", table="../dta"))
        assert missing.endswith("error[MK0401]: folder `../dta` does not exist; did you mean `data`")
        (file,) = project.found(fit("", table="../data/a.csv"))
        assert file.endswith("error[MK0404]: `../data/a.csv` is a file; expected a folder")
        assert project.found(fit("", table="azureml:patients:1")) == project.found(fit("", table="../data")) == []

    def test_the_kind_of_a_path_without_type_is_the_component_s(self, project):
        project.put("data/a.csv")
        (found,) = project.found(fit("", table="{path: ../data/a.csv}"))
        assert found.endswith("error[MK0404]: `../data/a.csv` is a file; expected a folder")
        (found,) = project.found(fit("", table="{path: ../data/b.csv}"))
        assert "MK0401" in found


class TestContracts:
    def test_a_misspelt_required_input_is_not_missing_too(self, project):
        (found,) = project.found(fit("").replace("      table:", "      tabel:"))
        assert found == "7:7: error[MK0303]: the component has no input `tabel`; did you mean `table`"

    def test_an_input_that_the_chosen_algorithm_lacks_is_unknown(self, folder):
        """L5-30: a tree has no regularization."""
        folder.put(
            "components/tree.yml", "type: command\nname: tree\ncommand: tree.py\nenvironment: azureml:e@latest\n"
        )
        text = "type: pipeline\njobs:\n  a:\n    component: ../components/tree.yml\n    inputs: {reg_rate: 0.1}\n"
        assert folder.found(text) == [
            "5:14: error[MK0303]: the component has no input `reg_rate`; declared inputs: none"
        ]

    def test_each_step_may_have_a_compute_of_its_own(self, project):
        """L5-22."""
        text = fit("").replace("    component:", "    compute: azureml:gpu\n    component:")
        assert project.found(text) == []

    @pytest.mark.parametrize("kind", ["parallel", "pipeline", "spark"])
    def test_a_step_has_the_type_of_its_component(self, project, kind):
        (found,) = project.found(fit("").replace("type: command", f"type: {kind}"))
        assert found == (
            f"4:11: error[MK0316]: the step is of type `{kind}`, and its component of type `command`; "
            "write `type: command`"
        )

    def test_a_command_beside_a_component_is_told_to_be_ignored(self, project):
        (found,) = project.found(fit("", more="    command: python other.py\n"))
        assert found.startswith("9:5: warning[MK0315]: the step runs its `component`, and its `command` is ignored")

    def test_the_sdk_drops_a_command_beside_a_component(self, project):
        from azure.ai.ml import load_job

        more = "    command: python other.py\nsettings: {default_compute: azureml:cpu}\n"
        job = load_job(project.put("jobs/p.yml", fit("", more=more)))
        assert job.jobs["fit"].command.startswith("fit ")

    def test_a_pipeline_job_has_steps_or_a_component(self, project):
        (found,) = project.found(fit("", top="component: azureml:other:1\n"))
        assert (
            found == "2:1: error[MK0315]: a pipeline job has `jobs` or runs a `component`, never both; keep one of them"
        )

    @pytest.mark.parametrize(
        ("text", "finding"),
        [
            ("type: pipeline\ndescription: x\n", "1:1: error[MK0104]: required key `jobs` is missing"),
            ("type: pipeline\njobs: {}\n", "2:1: error[MK0104]: `jobs` has no step"),
            ("type: pipeline\nname: a\nversion: '1'\n", "1:1: error[MK0104]: required key `jobs` is missing"),
        ],
    )
    def test_a_pipeline_without_steps_is_refused(self, folder, text, finding):
        name = "components/p.yml" if "version" in text else "jobs/p.yml"
        assert folder.found(text, name) == [f"{finding}; a pipeline is made of steps"]

    def test_an_input_that_may_be_left_out_is_not_given_to_one_that_may_not(self, project):
        head = "type: pipeline\nname: outer\ninputs:\n  t: {type: uri_folder, optional: true}\n"
        text = fit("", table="${{parent.inputs.t}}").replace("type: pipeline\n", head, 1).replace("../components", ".")
        (found,) = project.found(text, "components/outer.yml")
        assert found.startswith("10:14: error[MK0320]: `${{parent.inputs.t}}` may be left out")
        assert project.found(text.replace(", optional: true", ""), "components/outer.yml") == []

    def test_a_prompt_flow_as_component_is_left_alone(self, folder):
        folder.put("flow/flow.dag.yaml", "inputs:\n  text: {type: string}\nnodes: []\n")
        text = (
            "type: pipeline\njobs:\n  a:\n    type: parallel\n    component: ../flow/flow.dag.yaml\n"
            "    inputs: {data: azureml:a:1}\n"
        )
        assert folder.found(text) == []


class TestOutputsOfAPipeline:
    TWO = chain("ab", "ac").replace("jobs:", "outputs:\n  one: {type: uri_folder}\n  two: {type: uri_folder}\njobs:")

    def _text(self, first: str, second: str) -> str:
        parts = self.TWO.split("{o: {type: uri_folder}}")
        return f"{parts[0]}{{o: {{type: uri_folder}}}}{parts[1]}{first}{parts[2]}{second}{parts[3]}"

    def test_each_output_that_one_step_writes_passes(self, folder):
        text = self._text("{o: '${{parent.outputs.one}}'}", "{o: {path: '${{parent.outputs.two}}'}}")
        assert folder.found(text) == []

    def test_an_output_that_no_step_writes_is_a_warning(self, folder):
        text = self._text("{o: '${{parent.outputs.one}}'}", "{o: {type: uri_folder}}")
        assert folder.found(text) == ["4:3: warning[MK0313]: no step writes the output `two` of the pipeline"]

    def test_an_output_that_two_steps_write_is_one_finding_at_the_second(self, folder):
        text = self._text("{o: '${{parent.outputs.one}}'}", "{o: '${{parent.outputs.one}}'}").replace(
            "  two: {type: uri_folder}\n", ""
        )
        (found,) = folder.found(text)
        assert found.startswith("19:19: error[MK0314]: output `one` of the pipeline is written by the step `b`, too")

    def test_a_misspelt_output_is_one_finding(self, folder):
        text = self._text("{o: '${{parent.outputs.one}}'}", "{o: '${{parent.outputs.tow}}'}")
        (found,) = folder.found(text)
        assert found.endswith("did you mean `two`")

    def test_the_type_of_an_output_is_the_one_of_the_component(self, project):
        text = fit("", top="outputs:\n  m: {type: uri_file}\n", more="    outputs: {model: '${{parent.outputs.m}}'}\n")
        (found,) = project.found(text)
        assert (
            "MK0312]: output `model` of the component is mlflow_model, and `${{parent.outputs.m}}` is declared uri_file"
            in found
        )
        assert project.found(text.replace("uri_file", "uri_folder")) == []


class TestDeclaredInputs:
    @pytest.mark.parametrize(
        ("line", "place", "finding"),
        [
            (
                "{type: integer, default: abc}",
                35,
                "MK0308]: the default of input `depth` is `abc`; expected an integer",
            ),
            (
                "{type: boolean, default: maybe}",
                35,
                "MK0308]: the default of input `depth` is `maybe`; expected true or false",
            ),
            (
                "{type: integer, default: 9, max: 5}",
                35,
                "MK0309]: the default of input `depth` is `9`; expected at most 5",
            ),
            (
                "{type: string, default: c, enum: [a, b]}",
                34,
                "MK0310]: the default of input `depth` is `c`; expected one of a, b",
            ),
            (
                "{type: uri_folder, default: data}",
                29,
                "MK0321]: input `depth` of type uri_folder can have no `default`; only",
            ),
            (
                "{type: string, min: 3}",
                25,
                "MK0321]: input `depth` of type string can have no `min`; only integer and number",
            ),
            ("{type: integer, min: 9, max: 5}", 26, "MK0614]: `min` of input `depth` is 9, and `max` is 5"),
        ],
    )
    def test_a_declaration_that_cannot_be_is_one_finding(self, folder, line, place, finding):
        text = (
            "type: command\nname: a\ncommand: run ${{inputs.depth}}\nenvironment: azureml:e@latest\n"
            f"inputs:\n  depth: {line}\n"
        )
        (found,) = folder.found(text, "components/a.yml")
        assert found.startswith(f"6:{place}: error[")
        assert finding in found

    def test_a_component_that_is_written_in_a_step_is_looked_at(self, folder):
        text = (
            "type: pipeline\njobs:\n  a:\n    component:\n      command: run ${{inputs.n}} ${{inputs.m}}\n"
            "      environment: azureml:e@latest\n      inputs: {n: {type: integer, default: x}}\n"
        )
        found = folder.found(text)
        assert [line.split(": ")[1] for line in found] == ["error[MK0301]", "error[MK0308]"]


class TestStepsThatThereAreNot:
    @pytest.mark.parametrize(
        ("kind", "instead"),
        [
            pytest.param("databricks", "use a step of type `spark`, or call the Jobs API of Databricks", id="L6-05"),
            pytest.param("DatabricksStep", "use a step of type `spark`, or call the Jobs API", id="L6-05 by its class"),
            pytest.param(
                "adla", "Data Lake Analytics was retired on 2024-02-29; use a step of type `spark`", id="L6-06"
            ),
            pytest.param("AdlaStep", "Data Lake Analytics was retired on 2024-02-29", id="L6-06 by its class"),
            pytest.param("python_script_step", "use a step of type `command`", id="L6-03"),
            pytest.param("EstimatorStep", "use a step of type `command`", id="L6-08"),
            pytest.param("hyperdrive", "use a step of type `sweep`", id="L6-08 sweep"),
            pytest.param("ParallelRunStep", "use a step of type `parallel`", id="L6-07"),
            pytest.param("if_else", "decide in the script, or when the template is rendered", id="if_else"),
            pytest.param("do_while", "loop in one script, or use a step of type `sweep`", id="do_while"),
            pytest.param("parallel_for", "use a step of type `parallel`, or one pipeline per item", id="parallel_for"),
        ],
    )
    def test_a_step_of_a_type_that_is_gone_says_what_to_use_instead(self, folder, kind, instead):
        text = (
            f"type: pipeline\njobs:\n  a:\n    type: {kind}\n    notebook: /a\n    body: ${{{{parent.jobs.b}}}}\n"
            "  b:\n    command: run ${{inputs.x}}\n    environment: azureml:e@latest\n"
            "    inputs: {x: '${{parent.jobs.a.outputs.y}}'}\n"
        )
        (found,) = folder.found(text)
        assert found.startswith(f"4:11: error[MK0106]: `{kind}` is not a value of `type`; ")
        assert instead in found

    def test_what_such_a_step_reads_is_used(self, folder):
        text = "type: pipeline\ninputs: {a: 1, b: 2}\njobs:\n  x: {type: if_else, condition: '${{parent.inputs.a}}'}\n"
        found = folder.found(text)
        assert [line.split(": ", 1)[0] for line in found] == ["2:16", "4:13"]

    @pytest.mark.parametrize("kind", ["if_else", "do_while", "parallel_for"])
    def test_the_sdk_refuses_control_flow_in_a_file(self, folder, kind):
        from azure.ai.ml import load_job
        from azure.ai.ml.exceptions import ValidationException
        from marshmallow import ValidationError

        path = folder.put("p.yml", f"type: pipeline\njobs:\n  a: {{type: {kind}, body: '${{{{parent.jobs.b}}}}'}}\n")
        with pytest.raises((ValidationException, ValidationError), match=kind):
            load_job(path)
