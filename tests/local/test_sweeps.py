"""The parts of a sweep that need no job: expressions, samplers, policies and when trials are compared."""

import itertools
import math
import statistics
from typing import Any

import pytest

from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.runs.sweeps import outline, samplers, spaces
from mlops_kit.local.runs.sweeps.policies import PolicyError, policy
from mlops_kit.local.runs.sweeps.rounds import Rounds
from mlops_kit.local.settings import DEFAULT_WORKSPACE

COUNT = 10_000


def _picked(picker):
    point = picker.pick()
    assert point is not None
    return point


def _policy(given, *, maximize=True):
    found = policy(given, maximize=maximize)
    assert found is not None
    return found


def _draws(expression, count=COUNT, seed=1):
    space = spaces.read({"x": expression})
    picker = samplers.sampler({"samplingAlgorithmType": "Random", "seed": seed}, space, maximize=True)
    return [_picked(picker)["x"] for _ in range(count)]


def _points(algorithm, space, count, seed=0):
    picker = samplers.sampler({**algorithm, "seed": seed}, spaces.read(space), maximize=True)
    return [picker.pick() for _ in range(count)]


# Expressions (L9-02 to L9-11) --------------------------------------------------------------------------------------


def _normal_within(values, mean, deviation):
    errors = 3 * deviation / math.sqrt(len(values))
    assert abs(statistics.fmean(values) - mean) < errors
    assert abs(statistics.stdev(values) - deviation) < 0.1 * deviation


def test_choice_draws_only_its_values_and_all_of_them_l9_02():
    assert set(_draws(["choice", [[1, 2, 3, 4]]])) == {1, 2, 3, 4}


def test_randint_draws_from_0_to_below_its_bound():
    assert set(_draws(["randint", [5]])) == {0, 1, 2, 3, 4}


def test_uniform_is_within_its_bounds_and_even_l9_08():
    from scipy.stats import kstest

    values = _draws(["uniform", [0.1, 0.9]])
    assert all(0.1 <= value <= 0.9 for value in values)
    assert kstest(values, "uniform", args=(0.1, 0.8)).pvalue > 0.01


def test_quniform_draws_multiples_of_q_l9_04():
    values = _draws(["quniform", [1, 10, 3]])
    assert set(values) == {0, 3, 6, 9}
    assert {type(value) for value in values} == {int}
    assert values.count(3) == pytest.approx(COUNT * 3 / 9, rel=0.1)  # from 1.5 to 4.5 of 1 to 10


def test_loguniform_is_exp_of_uniform_l9_10():
    values = _draws(["loguniform", [-3, 0]])
    assert 0.0497 < min(values) < max(values) < 1
    assert statistics.fmean(map(math.log, values)) == pytest.approx(-1.5, abs=0.05)


def test_loguniform_has_the_base_that_the_sampler_names_l9_13():
    values = spaces.read({"x": ["loguniform", [0, 3]]}, base=2.0)["x"]
    assert (values.at(0.0), values.at(1.0)) == (1.0, 8.0)


def test_qloguniform_draws_multiples_of_q_l9_06():
    values = _draws(["qloguniform", [0, 3, 2]])
    assert all(value % 2 == 0 for value in values)
    assert max(values) == 20


def test_normal_has_its_mean_and_deviation_l9_07():
    _normal_within(_draws(["normal", [10, 3]]), 10, 3)


def test_qnormal_draws_multiples_of_q_around_its_mean_l9_03():
    values = _draws(["qnormal", [10, 3, 0.5]])
    assert all(float(value * 2).is_integer() for value in values)
    _normal_within(values, 10, 3)


def test_lognormal_is_exp_of_normal_l9_09():
    _normal_within([math.log(value) for value in _draws(["lognormal", [1, 0.5]])], 1, 0.5)


def test_qlognormal_draws_multiples_of_q_from_0_l9_05():
    values = _draws(["qlognormal", [2, 0.5, 2]])
    assert all(value >= 0 and value % 2 == 0 for value in values)
    assert abs(math.log(statistics.median(values)) - 2) < 0.15


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (["choice", [[]]], "at least one value"),
        (["uniform", [1, 1]], "maximum above its minimum"),
        (["loguniform", [3, -1]], "maximum above its minimum"),
        (["normal", [0, 0]], "sigma above 0"),
        (["quniform", [0, 1, 0]], "q above 0"),
        (["randint", [0]], "upper bound of at least 1"),
        (["uniform", [1]], "has no max_value"),
        (["unifrom", [0, 1]], "known expressions"),
    ],
)
def test_an_expression_without_values_is_refused(expression, reason):
    with pytest.raises(spaces.SpaceError, match=reason):
        spaces.read({"x": expression})


# Samplers (L9-12 to L9-15) -----------------------------------------------------------------------------------------

TWO = {"x": ["uniform", [0, 1]], "y": ["uniform", [0, 1]]}


def test_grid_has_every_combination_once_l9_12():
    space = {"a": ["choice", [[1, 2, 3]]], "b": ["choice", [["x", "y", "z"]]]}
    found = _points({"samplingAlgorithmType": "Grid"}, space, 10)
    assert found[9] is None
    pairs = [(point["a"], point["b"]) for point in found[:9]]
    assert sorted(pairs) == sorted(itertools.product([1, 2, 3], ["x", "y", "z"]))


@pytest.mark.parametrize("rule", ["random", "sobol"])
def test_one_seed_gives_one_sequence_l9_13(rule):
    algorithm = {"samplingAlgorithmType": "Random", "rule": rule}
    first, same, other = (_points(algorithm, TWO, 20, seed) for seed in (1, 1, 2))
    assert first == same != other


def test_sobol_is_spread_more_evenly_than_chance_l9_13():
    from scipy.stats import qmc

    def discrepancy(rule):
        points = _points({"samplingAlgorithmType": "Random", "rule": rule}, TWO, 64, 3)
        return qmc.discrepancy([[point["x"], point["y"]] for point in points])

    assert discrepancy("sobol") < discrepancy("random") / 2


def _best_found(algorithm, seed, trials=40):
    space = spaces.read({"x": ["uniform", [-5, 5]], "y": ["uniform", [-5, 5]]})
    picker = samplers.sampler({**algorithm, "seed": seed}, space, maximize=False)
    best = math.inf
    for _ in range(trials):
        point = _picked(picker)
        value = (point["x"] - 1.3) ** 2 + (point["y"] + 2.1) ** 2
        picker.tell(point, value)
        best = min(best, value)
    return best


def test_bayesian_beats_chance_on_a_smooth_function_l9_14():
    seeds = range(10)
    chance = statistics.median(_best_found({"samplingAlgorithmType": "Random"}, seed) for seed in seeds)
    better = sum(_best_found({"samplingAlgorithmType": "Bayesian"}, seed) < chance for seed in seeds)
    assert better >= 8


def test_bayesian_goes_on_after_a_failed_trial():
    picker = samplers.sampler({"samplingAlgorithmType": "Bayesian", "seed": 1}, spaces.read(TWO), maximize=True)
    first = _picked(picker)
    picker.tell(first, None)
    assert _picked(picker).keys() == {"x", "y"}


@pytest.mark.parametrize(
    ("algorithm", "expression", "reason"),
    [
        ("Grid", ["uniform", [0, 1]], "grid sampling takes choice only"),
        ("Bayesian", ["normal", [0, 1]], "bayesian sampling takes choice, uniform, quniform only"),
        ("Guess", ["uniform", [0, 1]], "known are grid, random, bayesian"),
    ],
)
def test_a_sampler_refuses_what_it_does_not_take_l9_12_l9_15(algorithm, expression, reason):
    with pytest.raises(spaces.SpaceError, match=reason):
        samplers.sampler({"samplingAlgorithmType": algorithm}, spaces.read({"x": expression}), maximize=True)


# Policies (L9-18 to L9-24) -----------------------------------------------------------------------------------------


def _stopped(given, reports, level=1, *, maximize=True):
    return _policy(given, maximize=maximize).stops(reports, level, list(reports))


def test_bandit_with_an_amount_stops_what_is_further_from_the_best_l9_21():
    reports = {"best": [0.8], "bad": [0.59], "good": [0.61]}
    assert _stopped({"policyType": "Bandit", "slackAmount": 0.2}, reports) == ["bad"]
    mirrored = {"best": [0.2], "bad": [0.41], "good": [0.39]}
    assert _stopped({"policyType": "Bandit", "slackAmount": 0.2}, mirrored, maximize=False) == ["bad"]


def test_bandit_with_a_factor_stops_below_a_share_of_the_best_l9_22():
    reports = {"best": [0.8], "bad": [0.66], "good": [0.67]}
    assert _stopped({"policyType": "Bandit", "slackFactor": 0.2}, reports) == ["bad"]


def test_bandit_with_both_slacks_is_refused_l9_22():
    with pytest.raises(PolicyError, match="not both"):
        policy({"policyType": "Bandit", "slackFactor": 0.1, "slackAmount": 0.1}, maximize=True)


def test_median_stops_what_is_below_the_median_of_the_averages_l9_23():
    curves = {f"t{number}": [number * 0.1, number * 0.1 + 0.02] for number in range(1, 6)}
    assert _stopped({"policyType": "MedianStopping"}, curves, 2) == ["t1", "t2"]


def test_truncation_stops_the_worst_share_l9_24():
    reports = {f"t{number}": [float(number)] for number in range(10)}
    assert _stopped({"policyType": "TruncationSelection", "truncationPercentage": 20}, reports) == ["t0", "t1"]
    worst = _stopped({"policyType": "TruncationSelection", "truncationPercentage": 20}, reports, maximize=False)
    assert worst == ["t8", "t9"]


@pytest.mark.parametrize("share", [0, 100])
def test_truncation_of_none_or_all_is_refused_l9_24(share):
    with pytest.raises(PolicyError, match="1 to 99 percent"):
        policy({"policyType": "TruncationSelection", "truncationPercentage": share}, maximize=True)


@pytest.mark.parametrize(
    ("interval", "delay", "levels"), [(2, 0, [2, 4, 6]), (2, 5, [6]), (1, 0, [1, 2, 3, 4, 5, 6]), (0, 3, [3, 4, 5, 6])]
)
def test_a_policy_applies_at_each_interval_after_its_delay_l9_18_l9_19(interval, delay, levels):
    given = {"policyType": "MedianStopping", "evaluationInterval": interval, "delayEvaluation": delay}
    found = _policy(given)
    assert [level for level in range(1, 7) if found.applies(level)] == levels


# Rounds ------------------------------------------------------------------------------------------------------------


def _rounds(given):
    return Rounds(_policy(given))


def test_a_level_waits_for_every_trial_that_was_running():
    rounds = _rounds({"policyType": "TruncationSelection", "truncationPercentage": 50})
    assert rounds.stops({"a": [1.0]}, ["a", "b"]) == []
    assert rounds.stops({"a": [1.0, 9.0], "b": [2.0]}, ["a", "b"]) == ["a"]


def test_a_trial_that_ended_is_not_waited_for():
    rounds = _rounds({"policyType": "Bandit", "slackAmount": 1.0})
    assert rounds.stops({"a": [1.0]}, ["a", "b"]) == []
    assert rounds.stops({"a": [1.0], "b": [5.0]}, ["a"]) == ["a"]


def test_a_later_trial_is_compared_with_what_the_others_had_at_its_level():
    rounds = _rounds({"policyType": "TruncationSelection", "truncationPercentage": 50})
    rounds.stops({"a": [5.0]}, ["a"])
    assert rounds.stops({"a": [5.0, 0.0], "late": [1.0]}, ["a", "late"]) == ["late"]


# The whole job -----------------------------------------------------------------------------------------------------

JOB: dict[str, Any] = {
    "trial": {"command": "python t.py --x ${{search_space.x}}", "environmentId": "azureml:e:1"},
    "searchSpace": {"x": ["choice", [[1, 2]]]},
    "samplingAlgorithm": {"samplingAlgorithmType": "Grid"},
    "objective": {"goal": "maximize", "primaryMetric": "auc"},
    "limits": {"maxTotalTrials": 4, "maxConcurrentTrials": 2},
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"objective": {"goal": "maximize"}}, "a primary metric and a goal"),
        ({"searchSpace": {}}, "no search space"),
        ({"searchSpace": {**JOB["searchSpace"], "y": ["choice", [[1]]]}}, "does not use 'y'"),
        ({"limits": {"maxTotalTrials": 2, "maxConcurrentTrials": 3}}, "Of 2 trials 3 cannot run at a time"),
        ({"limits": {"maxTotalTrials": 2000}}, "1 to 1000 trials"),
        ({"earlyTermination": {"policyType": "Hope"}}, "known are Bandit"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(change, reason):
    with pytest.raises(ArmError, match=reason):
        outline.read({**JOB, **change})


def test_the_time_of_a_sweep_ends_its_trials_l9_17(plane):
    plane.start()
    job = {
        **JOB,
        "jobType": "Sweep",
        "experimentName": "timed",
        "trial": {
            "command": "sleep ${{search_space.x}}",
            "environmentId": "azureml:AzureML-minimal@latest",
        },
        "searchSpace": {"x": ["choice", [[0, 600]]]},
        "limits": {"maxTotalTrials": 2, "maxConcurrentTrials": 2, "timeout": "PT3S"},
    }
    plane.ask("PUT", f"{DEFAULT_WORKSPACE.id}/jobs/timed", {"properties": job})
    assert plane.wait("timed") == "Failed"
    assert plane.wait("timed_1") == "Canceled"
    assert "no trial when its time was up that completed and logged the metric 'auc'" in plane.error("timed")
    assert "did not log its primary metric 'auc' (logged metrics: none)" in plane.error("timed_0")
