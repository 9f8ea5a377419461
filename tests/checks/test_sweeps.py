"""Sweeps: search spaces, samplers, early termination, limits, and what reaches the trial (course rows L9, R29)."""

import io

import pytest

from mlops_kit.cli import main

SWEEP = """\
type: sweep
compute: azureml:cpu
trial:
  command: python train.py --rate ${{search_space.rate}}
  environment: azureml:e@latest
sampling_algorithm: random
search_space:
  rate: {type: uniform, min_value: 0.01, max_value: 0.1}
objective: {goal: maximize, primary_metric: AUC}
limits: {max_total_trials: 20, max_concurrent_trials: 4}
"""
COMPONENT = """\
name: train
type: command
inputs:
  rate: {type: number}
  depth: {type: integer, default: 3}
command: python train.py --rate ${{inputs.rate}} --depth ${{inputs.depth}}
environment: azureml:e@latest
"""
STEP = """\
type: pipeline
settings: {default_compute: azureml:cpu}
jobs:
  tune:
    type: sweep
    trial: TRIAL
    sampling_algorithm: random
    search_space:
      rate: RATE
    objective: {goal: maximize, primary_metric: AUC}
    limits: {max_total_trials: 20}
"""
LIMITS = "max_total_trials: 20, max_concurrent_trials: 4"
UNIFORM = "{type: uniform, min_value: 0.01, max_value: 0.1}"


def _rate(expression, sampler="random", total=20):
    text = SWEEP.replace(UNIFORM, expression).replace("sampling_algorithm: random", f"sampling_algorithm: {sampler}")
    return text.replace("max_total_trials: 20", f"max_total_trials: {total}").replace(
        "max_concurrent_trials: 4", "timeout: 90"
    )


def _codes(lines):
    return [line.partition("[")[2].partition("]")[0] for line in lines]


def test_a_sweep_that_is_right_yields_nothing(folder):
    assert folder.found(SWEEP) == []


@pytest.mark.parametrize(
    "expression",
    [
        "{type: uniform, min_value: -1, max_value: 1e3}",
        "{type: quniform, min_value: 0, max_value: 100, q: 5}",
        "{type: loguniform, min_value: -6.9, max_value: 0}",
        "{type: loguniform, min_value: 0.1, max_value: 3}",
        "{type: qloguniform, min_value: 1, max_value: 5, q: 1}",
        "{type: normal, mu: 10, sigma: 3}",
        "{type: lognormal, mu: 0, sigma: 0.5}",
        "{type: qnormal, mu: 10, sigma: 3, q: 2}",
        "{type: qlognormal, mu: 1, sigma: 1, q: 0.5}",
        "{type: randint, upper: 1}",
        "{type: choice, values: [1, 2.5, scale, auto]}",
        "{type: choice, values: [{rate: 1, depth: {type: randint, upper: 3}}, {rate: 2}]}",
        "{type: Choice, values: [1]}",
    ],
)
def test_every_expression_is_taken_and_loads_in_the_sdk(folder, expression):
    """L9-02 to L9-10."""
    from azure.ai.ml import load_job

    assert folder.found(_rate(expression)) == []
    load_job(io.StringIO(_rate(expression)))


@pytest.mark.parametrize(
    ("expression", "finding"),
    [
        (  # L9-08
            "{type: uniform, min_value: 2, max_value: 1}",
            "8:36: error[MK0901]: `min_value` is `2`, which is not below `max_value`, `1`",
        ),
        (
            "{type: qloguniform, min_value: 1, max_value: 1, q: 1}",
            "8:40: error[MK0901]: `min_value` is `1`, which is not below `max_value`, `1`",
        ),
        (
            "{type: quniform, min_value: 0, max_value: 1, q: 0}",
            "8:57: error[MK0901]: `q` is `0`; allowed is above 0",
        ),
        ("{type: normal, mu: 0, sigma: 0}", "8:38: error[MK0901]: `sigma` is `0`; allowed is above 0"),
        ("{type: qlognormal, mu: 0, sigma: -1, q: 1}", "8:42: error[MK0901]: `sigma` is `-1`; allowed is above 0"),
        (
            "{type: randint, upper: 0}",
            "8:32: error[MK0901]: `upper` is `0`; allowed is 1 or more; it draws whole numbers from 0 up to this one",
        ),
        (
            "{type: loguniform, min_value: 16, max_value: 1024}",
            "8:54: error[MK0901]: `max_value` is `1024`; allowed is 709.783 or less; write natural logarithms",
        ),
        (
            "{type: choice, values: [{rate: {type: uniform, min_value: 1, max_value: 0}}]}",
            "8:67: error[MK0901]: `min_value` is `1`, which is not below `max_value`, `0`",
        ),
        ("{type: choice, values: []}", "8:32: error[MK0902]: a choice has no values; list them under `values`"),
        ("{type: choice}", "8:9: error[MK0902]: a choice has no values; list them under `values`"),
        (
            "{type: choice, values: [true, 1]}",
            '8:33: error[MK0902]: `true` is a truth value, which a choice cannot hold; write "true"',
        ),
        (
            "{type: loguniform, min_value: 0.001, max_value: 0.1}",
            "8:28: warning[MK0904]: bounds are exponents: this draws from 1.001 to 1.105; write -6.908 and -2.303",
        ),
        (
            "{type: choice, values: [rbf, poly, rbf]}",
            "8:44: warning[MK0905]: the value `rbf` is listed twice; remove one",
        ),
        (
            "{type: choice, values: [1, '1']}",
            "8:36: warning[MK0905]: the value `1` is listed twice, as `1`; remove one",
        ),
    ],
)
def test_an_expression_that_makes_no_sense_is_one_finding_at_its_place(folder, expression, finding):
    assert folder.found(_rate(expression)) == [finding]


@pytest.mark.parametrize(
    ("sampler", "expression"),
    [
        ("grid", "{type: uniform, min_value: 0, max_value: 1}"),
        ("grid", "{type: quniform, min_value: 0, max_value: 1, q: 1}"),
        ("grid", "{type: randint, upper: 3}"),
        ("bayesian", "{type: normal, mu: 0, sigma: 1}"),
        ("bayesian", "{type: loguniform, min_value: -3, max_value: 0}"),
        ("{type: bayesian}", "{type: randint, upper: 3}"),
        ("Grid", "{type: normal, mu: 0, sigma: 1}"),
    ],
)
def test_a_sampler_takes_only_what_it_can_draw_from(folder, sampler, expression):
    """L9-12, L9-15."""
    [line] = folder.found(_rate(expression, sampler))
    assert line.startswith("8:16: error[MK0903]: `")


def test_the_finding_names_what_bayesian_sampling_takes(folder):
    """L9-15."""
    [line] = folder.found(_rate("{type: normal, mu: 0, sigma: 1}", "bayesian"))
    hint = "use `choice`, `uniform` or `quniform`, or sample with `random`"
    assert line.endswith(f"`bayesian` cannot sample from `normal`; {hint}")


@pytest.mark.parametrize("sampler", ["random", "{type: random, seed: 3}", "{type: random, rule: sobol, seed: 3}"])
def test_random_sampling_takes_every_expression(folder, sampler):
    """L9-13."""
    assert folder.found(_rate("{type: qnormal, mu: 0, sigma: 1, q: 1}", sampler)) == []


def test_sobol_belongs_to_random_sampling(folder):
    assert _codes(folder.found(_rate(UNIFORM, "{type: bayesian, rule: sobol}"))) == ["MK0102"]


def test_a_grid_of_nine_needs_nine_trials(folder):
    """L9-12: 3 x 3 combinations; a limit of 6 cuts them."""
    text = _rate("{type: choice, values: [1, 2, 3]}\n  depth: {type: choice, values: [1, 2, 3]}", "grid", 6)
    text = text.replace("space.rate}}", "space.rate}} --depth ${{search_space.depth}}")
    message = "warning[MK0910]: the grid has 9 combinations, and `max_total_trials` stops after 6; write 9"
    assert folder.found(text) == [f"11:28: {message}"]
    assert folder.found(text.replace("trials: 6", "trials: 9")) == []


@pytest.mark.parametrize(
    "policy", ["bandit, slack_factor: 0.1", "median_stopping", "truncation_selection, truncation_percentage: 20"]
)
def test_bayesian_sampling_goes_without_early_termination(folder, policy):
    """L9-16."""
    text = f"{SWEEP}early_termination: {{type: {policy}}}\n"
    assert folder.found(text) == []
    [line] = folder.found(text.replace("algorithm: random", "algorithm: bayesian"))
    assert line.startswith("11:1: error[MK0906]: ")


def test_early_termination_of_bayesian_sampling_can_be_accepted_with_a_reason(folder, capsys):
    """L9-16: the override."""
    reason = "# mlops-kit: ignore[MK0906] the trials log one metric, at their end"
    text = SWEEP.replace("algorithm: random", "algorithm: bayesian")
    path = folder.put("tune.yml", f"{text}early_termination: {{type: median_stopping}}  {reason}\n")
    main(["validate", str(path)])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("policy", "place", "words"),
    [
        ("type: bandit", "11:20", "a bandit policy without slack ends every trial but the best"),
        ("type: bandit, slack_factor: 0.1, slack_amount: 0.2", "11:54", "has both"),  # L9-22
        ("type: bandit, slack_factor: 0", "11:49", "`slack_factor` is `0`; allowed is above 0"),
        ("type: bandit, slack_amount: -0.2", "11:49", "`slack_amount` is `-0.2`; allowed is above 0"),
        ("type: truncation_selection, truncation_percentage: 0", "11:72", "allowed is 1 to 99"),  # L9-24
        ("type: truncation_selection, truncation_percentage: 100", "11:72", "allowed is 1 to 99"),
        ("type: median_stopping, evaluation_interval: 0", "11:65", "allowed is 1 or more"),
        ("type: median_stopping, delay_evaluation: -1", "11:62", "allowed is 0 or more"),
    ],
)
def test_a_policy_that_makes_no_sense_is_one_finding(folder, policy, place, words):
    [line] = folder.found(f"{SWEEP}early_termination: {{{policy}}}\n")
    assert line.startswith(f"{place}: error[MK0907]: ")
    assert words in line


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("max_total_trials: 0", "`max_total_trials` is `0`; allowed is 1 to 1000"),
        ("max_total_trials: 1001", "allowed is 1 to 1000"),
        ("max_total_trials: 200, max_concurrent_trials: 101", "allowed is 1 to 100"),
        ("max_total_trials: 4, max_concurrent_trials: 8", "which is above `max_total_trials`, `4`"),
        ("max_total_trials: 4, trial_timeout: 0", "`trial_timeout` is `0`; allowed is above 0"),
        ("max_total_trials: 4, timeout: 100, trial_timeout: 200", "which is above `timeout`, `100`"),
    ],
)
def test_limits_out_of_range_or_against_each_other_are_one_finding(folder, limits, words):
    """L9-17."""
    [line] = folder.found(SWEEP.replace(LIMITS, limits))
    assert "error[MK0909]" in line
    assert words in line


def test_the_objective_names_a_metric(folder):
    """L9-26, L9-27."""
    assert _codes(folder.found(SWEEP.replace("AUC", '""'))) == ["MK0911"]


def test_a_sweep_without_a_search_space_is_refused(folder):
    text = SWEEP.replace(f"search_space:\n  rate: {UNIFORM}\n", "").replace("${{search_space.rate}}", "0.1")
    [line] = folder.found(text)
    assert line.startswith("1:1: error[MK0908]: a sweep has nothing to search")


def test_a_sweep_says_how_it_samples(folder):
    [line] = folder.found(SWEEP.replace("sampling_algorithm: random\n", ""))
    assert line.startswith(
        "1:1: error[MK0915]: a sweep does not say how it samples its search space; add `sampling_alg"
    )


def test_each_name_is_read_by_the_command_and_each_reference_is_a_name(folder):
    """L9-11: a name that is missing in the command, or the reverse."""
    [line] = folder.found(SWEEP.replace("${{search_space.rate}}", "0.1"))
    assert line.startswith("8:3: error[MK0912]: the command of the trial does not read `rate`")
    [line] = folder.found(SWEEP.replace("search_space.rate}}", "search_space.rate}} -n ${{search_space.n}}"))
    assert line.startswith("4:61: error[MK0301]: `${{search_space.n}}` points to nothing that is declared")


RATE = "inputs: {rate: {type: number}}"


def test_a_list_of_a_search_space_is_set_from_the_command_line(folder, monkeypatch, capsys):
    """R12: a list stays a list; a path that the template does not have is named with what was meant."""
    from azure.ai.ml import load_job

    for name in ("base", "dev"):
        folder.put(f"environments/{name}.yaml", "{}\n")
    folder.put("templates/tune.yml", _rate("{type: choice, values: [rbf]}"))
    monkeypatch.chdir(folder.root)
    main(["render", "tune", "-e", "dev", "--set", "search_space.rate.values=[rbf, linear, 0.10]"])
    sweep = load_job(io.StringIO(capsys.readouterr().out))
    assert sweep.search_space["rate"].values == ["rbf", "linear", 0.1]
    with pytest.raises(SystemExit):
        main(["render", "tune", "-e", "dev", "--set", "search_spaces.rate.values=[rbf]"])
    assert "search_space" in capsys.readouterr().err


# R29: the four forms of a sweep step
def _step(folder, trial, rate=UNIFORM):
    folder.put("components/train.yml", COMPONENT)
    return folder.found(STEP.replace("TRIAL", trial).replace("RATE", rate), "pipelines/tune.yml")


@pytest.mark.parametrize("typed", ["type: command, ", ""])
def test_a_step_takes_a_trial_that_is_written_in_it(folder, typed):
    """R29."""
    trial = f"{{{typed}command: 'python train.py ${{{{inputs.rate}}}}', environment: 'azureml:e@latest', {RATE}}}"
    assert _step(folder, trial) == []


def test_a_step_takes_a_trial_from_a_file(folder):
    """R29."""
    assert _step(folder, "../components/train.yml") == []


@pytest.mark.parametrize("trial", ["../components/whole.yml", "file:../components/whole.yml"])
def test_a_pipeline_as_trial_is_refused_with_the_alternative(folder, trial):
    """R29."""
    folder.put("components/whole.yml", "type: pipeline\nname: whole\ninputs: {rate: {type: number}}\njobs: {}\n")
    [line] = _step(folder, trial)
    assert line.startswith("6:12: error[MK0913]: a pipeline cannot be the trial of a sweep; sweep over the one command")


def test_bounds_from_an_input_of_the_pipeline_are_refused_with_the_alternative(folder):
    """R29."""
    bound = '{type: uniform, min_value: "${{parent.inputs.low}}", max_value: 1}'
    folder.put("components/train.yml", COMPONENT)
    text = STEP.replace("TRIAL", "../components/train.yml").replace("RATE", bound)
    [line] = folder.found(f"inputs: {{low: 0.01}}\n{text}", "pipelines/tune.yml")
    assert line.startswith("10:41: error[MK0914]: `${{parent.inputs.low}}` cannot stand in a search space")
    assert line.endswith("write the value, or `${var.NAME}` to give it when it is rendered")


def test_a_name_that_the_trial_of_a_step_does_not_have_is_reported(folder):
    [line] = _step(folder, "../components/train.yml", f"{UNIFORM}\n      dept: {{type: randint, upper: 9}}")
    assert line == "10:7: error[MK0912]: the trial has no input `dept`; did you mean `depth`"


def test_a_step_is_checked_as_a_job_is(folder):
    found = _step(folder, "../components/train.yml", "{type: uniform, min_value: 1, max_value: 0}")
    assert _codes(found) == ["MK0901"]
