"""Settings say all that is wrong at once, carry units, and keep their secrets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from api.settings import Settings, SettingsFault


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.read({}) == Settings()
    assert Settings.read({"WHISTLE_LANGUAGE": "", "HOME": "/root"}) == Settings()


def test_values_are_read_with_their_units() -> None:
    settings = Settings.read({"WHISTLE_SWEEP_EVERY": "2m", "WHISTLE_HOME": "/srv/whistle", "WHISTLE_LANGUAGE": "en"})
    assert settings.sweep_every == timedelta(minutes=2)
    assert settings.home == Path("/srv/whistle")
    assert settings.language == "en"


def test_every_fault_is_named_at_once_in_both_languages() -> None:
    with pytest.raises(SettingsFault) as told:
        Settings.read({"WHISTLE_SWEEP_EVERY": "5", "WHISTLE_LANGUAGE": "fr", "WHISTLE_HOEM": "/srv"})
    for language in ("zh_CN", "en"):
        lines = told.value.text(language).splitlines()
        assert [line.split(":")[0].split("\uff1a")[0] for line in lines] == [
            "WHISTLE_HOEM",
            "WHISTLE_LANGUAGE",
            "WHISTLE_SWEEP_EVERY",
        ]


def test_a_password_is_never_shown() -> None:
    settings = Settings.read({"WHISTLE_DATABASE_URL": "postgresql://whistle:hidden-word@db/whistle"})
    assert "hidden-word" not in repr(settings) + "".join("".join(line) for line in settings.shown("zh_CN"))
    assert settings.database_url is not None
    assert "hidden-word" in settings.database_url.get_secret_value()
