"""Assets that are not there, told apart from assets that could not be asked for."""

from types import SimpleNamespace

import pytest

from mlops_kit.errors import MlopsKitError, UsageError
from mlops_kit.workspace import assets


def _workspace(error):
    """Return a client whose data assets answer ``get`` with an error, and have the names of a list."""

    def get(*_arguments, **_options):
        raise error

    return SimpleNamespace(data=SimpleNamespace(get=get, list=lambda **_: [SimpleNamespace(name="sales")]))


def _missing():
    from azure.ai.ml.exceptions import ErrorTarget, ValidationErrorType, ValidationException

    kind = ValidationErrorType.RESOURCE_NOT_FOUND
    return ValidationException(
        message="gone", no_personal_data_message="gone", target=ErrorTarget.ASSET, error_type=kind
    )


def test_label_without_a_version_is_an_unknown_name():
    with pytest.raises(UsageError, match=r"no data asset named 'sale'; did you mean sales\?"):
        assets.get(_workspace(_missing()), "data", "sale")


def test_fault_whose_words_say_not_found_is_no_unknown_name():
    from azure.core.exceptions import ServiceRequestError

    with pytest.raises(MlopsKitError, match="no connection to the service") as caught:
        assets.get(_workspace(ServiceRequestError("host not found: it does not exist")), "data", "sales")
    assert "no data asset" not in str(caught.value)
