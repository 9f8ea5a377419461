"""Lesson 5: clusters, from the environment file to what an engine would make (scenario S5)."""

import contextlib
import io
import json
import os

import pytest
import yaml

from mlops_kit.cli import main

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
COMPUTES = "Microsoft.MachineLearningServices/workspaces/computes"


@pytest.fixture
def kit(monkeypatch, tmp_path):
    """Run ``mlops-kit`` on the project in this process: (exit code, stdout, stderr)."""
    from pathlib import Path

    project = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)

    def run(*arguments):
        code, out, err, before = 0, io.StringIO(), io.StringIO(), dict(os.environ)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main([*arguments, "-C", str(project)])
        except SystemExit as leave:
            code = int(leave.code or 0)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return code, out.getvalue(), err.getvalue()

    return run


def _cluster(planned):
    (found,) = (one for one in planned.of(COMPUTES) if one["name"] == "cpu-cluster")
    return found["properties"]["properties"]


def test_l5_21_job_moves_to_another_compute_by_its_environment_alone(kit):
    code, dev, _ = kit("render", "train", "-e", "dev")
    assert code == 0
    code, prod, _ = kit("render", "train", "-e", "prod", "--set", "env.compute=gpu-cluster")
    assert code == 0
    one, other = yaml.safe_load(dev), yaml.safe_load(prod)
    assert {key: (one[key], other[key]) for key in one if one[key] != other[key]} == {
        "compute": ("azureml:cpu-cluster", "azureml:gpu-cluster")
    }
    assert one.keys() == other.keys()


@pytest.mark.parametrize("name", ["dev", "test", "prod"])
def test_l5_23_cluster_starts_when_it_is_needed_and_shrinks_to_nothing(infrastructure, name):
    """That the local one does so by the clock is in tests/local/test_computes.py."""
    cluster = infrastructure(name).compute.clusters["cpu-cluster"]
    assert (cluster.min_instances, cluster.idle_time_before_scale_down) == (0, "PT120S")


def test_l5_24_size_keeps_its_case_and_one_that_is_not_allowed_is_refused(infrastructure, kit):
    size = "infra.compute.clusters.cpu-cluster.size"
    assert infrastructure("dev").compute.clusters["cpu-cluster"].size == "Standard_DS11_v2"
    other = infrastructure("dev", f"{size}=STANDARD_DS12_V2")
    assert other.compute.clusters["cpu-cluster"].size == "STANDARD_DS12_V2"
    code, out, _ = kit("validate", "--all", "-e", "dev", "--set", f"env.{size}=Standard_DS11_v3")
    assert code == 2
    assert "error[MK0613]" in out
    assert "`Standard_DS11_v3`, which `infra.allowed_sizes` does not list" in out
    assert "did you mean `Standard_DS11_v2`" in out


def test_l5_24_l5_25_size_and_nodes_reach_the_plan(planned):
    found = _cluster(planned("dev"))
    assert found["vmSize"] == "Standard_DS11_v2"
    assert found["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 4,
        "nodeIdleTimeBeforeScaleDown": "PT120S",
    }


def test_l5_25_more_nodes_at_least_than_at_most_are_refused(kit):
    wrong = "infra.compute.clusters.cpu-cluster={min_instances: 9, max_instances: 2}"
    code, out, err = kit("infra", "values", "-e", "dev", "--set", wrong)
    assert (code, out) == (2, "")
    assert "min_instances 9 is above max_instances 2" in err


def test_l5_25_name_of_v1_is_taken_for_that_of_v2_and_told(kit):
    old = "{vm_size: Standard_DS11_v2, min_nodes: 1, max_nodes: 6, idle_seconds_before_scaledown: 300}"
    code, out, err = kit("infra", "values", "-e", "dev", "-o", "json", "--set", f"infra.compute.clusters.old={old}")
    assert code == 0
    cluster = json.loads(out)["compute"]["clusters"]["old"]
    expected = {"size": "Standard_DS11_v2", "min_instances": 1, "max_instances": 6}
    assert {key: cluster[key] for key in expected} == expected
    assert cluster["idle_time_before_scale_down"] == "PT300S"
    assert not {"min_nodes", "max_nodes", "vm_size", "idle_seconds_before_scaledown"} & set(cluster)
    assert err.count("warning[MK0619]") == 4
    assert "clusters.old.min_nodes` is the name of v1; it is taken for `min_instances`" in err


def test_l5_25_name_of_v1_beside_that_of_v2_is_refused(kit):
    both = "infra.compute.clusters.cpu-cluster={max_instances: 2, max_nodes: 2}"
    code, out, err = kit("infra", "values", "-e", "dev", "--set", both)
    assert (code, out) == (2, "")
    assert "error[MK0619]" in err
    assert "has `max_nodes` and `max_instances`, which are the same setting" in err


def test_l5_26_low_priority_is_asked_for_by_name_and_refused_where_users_depend_on_it(infrastructure, kit):
    tier = "infra.compute.clusters.cpu-cluster.tier=low_priority"
    assert infrastructure("dev", tier).compute.clusters["cpu-cluster"].tier == "LowPriority"
    code, out, _ = kit("validate", "--all", "-e", "prod", "--set", f"env.{tier}")
    assert code == 2
    assert "error[MK0616]" in out


@pytest.mark.slow
def test_l5_28_cluster_is_made_once_and_another_size_never_replaces_it_silently(course):
    """What the plan says of it is in tests/infra; here the service itself refuses."""
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError):
        course.ml.compute.get("once")
    wanted = AmlCompute(name="once", size="Standard_DS11_v2", min_instances=0, max_instances=2)
    course.ml.compute.begin_create_or_update(wanted).result()
    made = course.ml.compute.get("once").created_on
    course.ml.compute.begin_create_or_update(wanted).result()
    assert course.ml.compute.get("once").created_on == made
    bigger = AmlCompute(name="once", size="Standard_DS12_v2", min_instances=0, max_instances=2)
    with pytest.raises(HttpResponseError, match="is Standard_DS11_v2 and cannot become Standard_DS12_v2"):
        course.ml.compute.begin_create_or_update(bigger)


@pytest.mark.slow
def test_l5_28_ensure_creates_once_finds_it_then_and_leaves_another_size_alone(course, tmp_path):
    (tmp_path / "once.yml").write_text(
        "name: ensured-once\ntype: amlcompute\nsize: Standard_DS11_v2\n", encoding="utf-8"
    )
    ensure = ("compute", "ensure", str(tmp_path / "once.yml"), "-e", "local")
    ran = [course.cli(*ensure), course.cli(*ensure), course.cli(*ensure, "--set", "size=Standard_DS3_v2", check=False)]
    assert [one.returncode for one in ran] == [0, 0, 6]
    assert [one.stdout.split()[1] for one in ran] == ["created", "found", "different"]
    assert "size: Standard_DS11_v2 -> Standard_DS3_v2" in ran[2].stdout
