"""Where the first layer forgets to ask, the database still opens nothing over REST."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import true

from cases import access, identity_search
from cases.shelf import FolderShelf
from tests.api.door import Door
from tests.cases import papers
from tests.town import STUDENT

FORGOTTEN = access.Sight("yes", "yes", "yes")


def test_a_stranger_opens_nothing_though_the_rule_lets_everybody_in(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.house.office.shelf = FolderShelf(tmp_path)
    town = door.town
    number = town.whistle(level="orange", concern="mental_illness", student={**STUDENT, "name": "欧阳小怡"}).case.number
    school = door.client("counselor@school")
    sent = {"file": ("a.pdf", papers.pdf(), "application/pdf")}
    kept = school.post(f"/api/v1/cases/{number}/files", files=sent).json()["address"]
    stranger = door.client("officer@street#2")
    monkeypatch.setattr(access, "sees", lambda *_: FORGOTTEN)
    monkeypatch.setattr(identity_search, "seen", lambda *_: true())
    addresses = [f"/sections/{one}?purpose=x" for one in ("identity", "narrative", "clinical")]
    for address in (*addresses, "/files", f"/files/{kept}"):
        assert stranger.get(f"/api/v1/cases/{number}{address}").status_code == 404, address
        assert school.get(f"/api/v1/cases/{number}{address}").status_code == 200, address
    sought = {"name": "欧阳小怡", "purpose": "x"}
    assert stranger.post("/api/v1/search", json=sought).json()["items"] == []
    assert [one["number"] for one in school.post("/api/v1/search", json=sought).json()["items"]] == [number]
