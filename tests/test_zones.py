"""Zones of the service by both of their names."""

import pytest

from mlops_kit import zones


def test_the_zones_of_the_service_are_those_of_the_sdk():
    from azure.ai.ml.constants import TimeZone

    assert {zone.value for zone in TimeZone} == zones.SERVICE_ZONES


@pytest.mark.parametrize("name", sorted(zones.SERVICE_ZONES))
def test_each_zone_of_the_service_has_rules(name):
    assert zones.windows_name(name) == name
    assert zones.rules(name).key


# R35: IANA names are taken, and translated
@pytest.mark.parametrize(
    ("given", "windows"),
    [
        ("Europe/London", "GMT Standard Time"),
        ("europe/berlin", "W. Europe Standard Time"),
        ("Europe/Amsterdam", "W. Europe Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("utc", "UTC"),
        ("GMT", "UTC"),
        ("Etc/UTC", "UTC"),
        ("pacific standard time", "Pacific Standard Time"),
    ],
)
def test_a_name_of_either_kind_in_any_case_has_the_name_of_the_service(given, windows):
    assert zones.windows_name(given) == windows


def test_an_iana_name_keeps_its_own_rules():
    assert zones.rules("Europe/amsterdam").key == "Europe/Amsterdam"
    assert zones.rules("gmt").key == "Etc/GMT"


@pytest.mark.parametrize(
    "given", ["PST", "+02:00", "Europe/Londn", "", "PACIFIC_STANDARD_TIME", "/etc/passwd", "../UTC"]
)
def test_what_is_no_zone_has_no_name(given):
    assert zones.windows_name(given) is None
    assert not zones.is_known(given)


def test_a_zone_that_the_service_lacks_is_known_and_has_no_name_there():
    assert zones.is_known("Africa/Khartoum")
    assert zones.windows_name("Africa/Khartoum") is None


def test_suggestions_are_names_that_would_be_taken():
    assert {"Europe/London", "GMT Standard Time"} <= set(zones.known())
    assert all(zones.windows_name(name) for name in zones.known())
