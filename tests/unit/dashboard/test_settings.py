"""Settings come from the environment."""

import pytest

from spanwise_dashboard.settings import Settings, SettingsError


def test_defaults() -> None:
    """Without settings the collector on this machine is asked."""
    assert Settings.from_environment({}) == Settings("http://127.0.0.1:4318", 15.0)


def test_values() -> None:
    """A trailing slash makes no difference."""
    environment = {"SPANWISE_API_URL": "https://spanwise.example/base/", "SPANWISE_API_TIMEOUT_S": "2.5"}

    assert Settings.from_environment(environment) == Settings("https://spanwise.example/base", 2.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPANWISE_API_URL", "localhost:4318"),
        ("SPANWISE_API_URL", "kafka://x"),
        ("SPANWISE_API_TIMEOUT_S", "soon"),
        ("SPANWISE_API_TIMEOUT_S", "0"),
    ],
)
def test_a_wrong_value_names_its_setting(name: str, value: str) -> None:
    """The message names the setting, quotes the value and gives one that works."""
    with pytest.raises(SettingsError, match=f"{name} is '{value}'.*such as"):
        Settings.from_environment({name: value})
