"""The table of misplaced keys against the schemas that the SDK's classes become (field report R14)."""

import pytest

from mlops_kit import schemas
from mlops_kit.checks import misplaced
from mlops_kit.checks.misplaced import Home
from mlops_kit.documents import Scalar
from mlops_kit.errors import Place

VALUE = Scalar(1, "1", Place("one.yml", 1, 1))
PAIRS = [(kind, key) for kind, homes in misplaced.HOMES.items() for key in homes]
FILES = {
    "it belongs in the file of the endpoint": ("managed_online_endpoint", "kubernetes_online_endpoint"),
    "it belongs in the file of a deployment": (
        "managed_online_deployment", "kubernetes_online_deployment", "batch_deployment"
    ),
    "only a batch deployment has it": ("batch_deployment",),
    "only an online deployment has it": ("managed_online_deployment",),
}  # fmt: skip


def _keys(*kinds):
    return {key for kind in kinds for key in schemas.read(kind)["properties"]}


@pytest.mark.parametrize(("kind", "key"), PAIRS)
def test_r14_the_sdk_has_no_such_key_there(kind, key):
    assert key not in _keys(kind)


@pytest.mark.parametrize(("kind", "key"), PAIRS)
def test_r14_the_sdk_has_the_key_where_it_is_sent(kind, key):
    home = misplaced.home(kind, "", key, VALUE)
    assert isinstance(home, Home)
    assert not home.instead or home.instead in _keys(kind)
    if home.hint in FILES:
        assert key in _keys(*FILES[home.hint])


def test_keys_below_the_top_and_keys_that_nobody_has_are_left_to_the_schema():
    assert misplaced.home("batch_endpoint", "defaults", "traffic", VALUE) is None
    assert misplaced.home("batch_endpoint", "", "trafic", VALUE) is None
    assert misplaced.home("command_job", "", "traffic", VALUE) is None
