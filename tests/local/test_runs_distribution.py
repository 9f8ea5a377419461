"""The processes of a distributed job and the variables by which each knows its place."""

from __future__ import annotations

import pytest

from mlops_kit.local.arm.wire import ArmError
from mlops_kit.local.runs import distribution


def test_a_job_on_one_node_has_one_log_of_the_usual_name():
    [rank] = distribution.ranks(None, 1)
    assert rank.log == "std_log.txt"
    assert rank.variables["AZUREML_NODE_COUNT"] == "1"


def test_without_a_distribution_each_node_runs_the_command():
    assert [rank.variables["NODE_RANK"] for rank in distribution.ranks(None, 3)] == ["0", "1", "2"]


def test_logs_sort_by_rank():
    found = distribution.ranks({"distributionType": "PyTorch", "processCountPerInstance": 6}, 2)
    assert [rank.log for rank in found] == sorted(rank.log for rank in found)
    assert found[0].log == "std_log_process_00.txt"


def test_every_process_of_a_job_has_the_same_address_of_the_first():
    found = distribution.ranks({"distributionType": "Mpi", "processCountPerInstance": 2}, 2)
    assert len({rank.variables["AZ_BATCH_MASTER_NODE"] for rank in found}) == 1


def test_ray_is_refused_with_a_reason():
    with pytest.raises(ArmError, match="Ray clusters cannot be started") as refused:
        distribution.check({"distributionType": "Ray"})
    assert refused.value.status == 501
