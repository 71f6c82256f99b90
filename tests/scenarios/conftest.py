"""An installation to play beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.store import Store


@pytest.fixture
def beside(server: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The command line finds the test server as its installation."""
    monkeypatch.setenv("WHISTLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WHISTLE_DATABASE_URL", server.url)
    monkeypatch.setenv("WHISTLE_LANGUAGE", "en")
    return server
