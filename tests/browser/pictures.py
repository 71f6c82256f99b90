"""Pictures of each role's main page, from the demonstration's own cases: `make pictures`.

A throwaway installation is filled as `make run` fills one, at an instant of its own, so that a picture changes when a
page does and not with the day. What comes out is a PNG of few colours, small enough for a page.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, text
from typer.testing import CliRunner

from api.app import create
from api.commands import city
from api.commands.database import installation
from api.house import House
from api.settings import Settings
from api.signin import cookies
from cases import files, standing
from cases.installation import Installation
from cases.office import Session
from cases.records import case
from cases.samples import demo
from cases.samples.cast import cast
from tests.browser.visit import DESK, PHONE, chromium, provide, served
from tests.cases import papers

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Browser

NOW: Final = datetime(2026, 11, 24, 2, 40, tzinfo=UTC)
"""A Tuesday, 10:40 in Nanjing."""
FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
LARGEST: Final = 120_000
_COLOURS: Final = (128, 64, 48, 32, 24)


@dataclass(frozen=True)
class Shot:
    """One picture: its name, who looks at which page, how wide. `{case}` is a case of theirs that has a history."""

    name: str
    role: str
    path: str
    size: tuple[int, int] = DESK
    language: str = "zh_CN"


SHOTS: Final = (
    Shot("counselor-work", "counselor", "/"),
    Shot("counselor-case", "counselor", "{tracked}"),
    Shot("principal-sign-off", "principal", "{sign_off}", PHONE),
    Shot("officer-work", "officer", "/", PHONE),
    Shot("officer-report-in", "officer", "{report_in}", PHONE),
    Shot("liaison-work", "liaison", "/"),
    Shot("liaison-case", "liaison", "{treated}", PHONE),
    Shot("coordinator-desk", "coordinator", "/desk"),
    Shot("supervisor-board", "supervisor", "/board"),
    Shot("supervisor-board-phone", "supervisor", "/board", PHONE),
    Shot("admin", "admin", "/", DESK),
    Shot("auditor-log", "auditor", "/", DESK),
    Shot("mentor-work", "mentor", "/", PHONE),
    Shot("deputy-work", "deputy", "/", PHONE),
    Shot("codirector-work", "codirector", "/", PHONE),
    Shot("lead-work", "lead", "/", PHONE),
    Shot("community-work", "community", "/", PHONE),
    Shot("police-work", "police", "/", PHONE),
    Shot("womens-federation-work", "womens_federation", "/", PHONE),
    Shot("court-work", "court", "/", PHONE),
)


@dataclass(frozen=True)
class Stage:
    """The demonstration as it stands: the application, and who of the cast is which member."""

    kept: Installation
    app: FastAPI
    settings: Settings
    members: dict[str, int]

    def signed_in(self, role: str) -> str:
        """The secret of a session of that role's."""
        length = self.settings.session_length
        with self.kept.store.begin() as connection:
            opened = standing.open_session(
                connection, self.members[role], NOW, length=length, idle=self.settings.session_idle, strong=True
            )
        return opened.secret

    def path(self, shot: Shot) -> str:
        """The address of a picture's page; names in braces are found among the cases that the role sees."""
        if not shot.path.startswith("{"):
            return shot.path
        query, address = _WANTED[shot.path.strip("{}")]
        with self.kept.store.read() as connection:
            found = connection.execute(text(query), {"who": self.members[shot.role]}).first()
        if found is None:
            raise LookupError(shot.name)
        return address.format(*found)


_MINE: Final = """
  FROM cases c JOIN track t ON t.case_id = c.id
  JOIN post p ON p.member_id = :who AND p.until IS NULL
"""
_WANTED: Final = {
    "tracked": (
        (
            "SELECT c.number, count(*) FROM cases c JOIN track t ON t.case_id = c.id "
            "JOIN post p ON p.member_id = :who AND p.until IS NULL AND p.organisation_id = c.school_id "
            "WHERE t.kind = 'check_in' AND t.state = 'complete' AND c.state = 'open' "
            "AND NOT EXISTS (SELECT FROM track o "
            "WHERE o.case_id = c.id AND o.kind = 'supervision' AND o.ended_at IS NULL) "
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
        ),
        "/cases/{0}",
    ),
    "sign_off": (
        (
            "SELECT c.number FROM cases c JOIN post p ON p.member_id = :who "
            "WHERE p.organisation_id = c.school_id AND c.state = 'awaiting_signoff' ORDER BY 1 LIMIT 1"
        ),
        "/cases/{0}/tracks/0/sign_off",
    ),
    "treated": (
        "SELECT c.number " + _MINE + " AND p.organisation_id = t.organisation_id "
        "WHERE t.kind = 'referral' AND t.state = 'scheduled' AND c.state = 'open' ORDER BY 1 LIMIT 1",
        "/cases/{0}",
    ),
    "report_in": (
        "SELECT c.number, t.no " + _MINE + " AND p.organisation_id = t.organisation_id "
        "WHERE t.kind = 'assignment' AND t.state IN ('summoned', 'acknowledged') AND c.state = 'open' "
        "ORDER BY 1 LIMIT 1",
        "/cases/{0}/tracks/{1}/report_in",
    ),
}


@contextmanager
def stage(home: Path) -> Iterator[Stage]:
    """The demonstration in that folder, filled when it is new."""
    os.environ["WHISTLE_HOME"] = str(home)
    CliRunner().invoke(city.app, ["load", "--district", "玄武区"])
    with installation(fresh=True) as kept:
        shown = demo.load(kept, NOW)
        settings = Settings.read(os.environ)
        with kept.store.read() as connection:
            members = {part.part: part.member_id for part in cast(connection)}
        made = Stage(kept, create(House(settings, kept, clock=lambda: NOW)), settings, members)
        if not shown.already:
            _hand_in(made)
        yield made


def _hand_in(made: Stage) -> None:
    """Some photos, so that the files of a case have something to show."""
    for name in ("tracked",):
        number = made.path(Shot("", "counselor", f"{{{name}}}")).rpartition("/")[2]
        with made.kept.store.begin() as connection:
            office = made.kept.office()
            actor = office.directory.actor(connection, made.members["counselor"], NOW)
            session = Session(connection, office)
            files.keep(session, number, actor, "家访记录.jpg", papers.photo(), "narrative", NOW)
            files.keep(session, number, actor, "知情同意书.tiff", papers.scan(2), "narrative", NOW)
            assert connection.scalar(select(case.c.number).where(case.c.number == number))


def shoot(browser: Browser, made: Stage, address: str, shot: Shot, *, whole: bool = False) -> bytes:
    """The page as that role sees it."""
    context = browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        locale=shot.language.replace("_", "-"),
        has_touch=shot.size == PHONE,
        is_mobile=shot.size == PHONE,
    )
    name = cookies.session_name(made.settings)
    context.add_cookies([{"name": name, "value": made.signed_in(shot.role), "url": address}])
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    try:
        answer = page.goto(address + made.path(shot))
        page.wait_for_timeout(400)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if answer is None or answer.status >= 400 or faults or wide > shot.size[0]:
            message = f"{shot.name}: {answer.status if answer else ''} {wide} wide {faults}"
            raise RuntimeError(message)
        return page.screenshot(full_page=whole)
    finally:
        context.close()


def small(png: bytes) -> bytes:
    """The same picture in as many colours as fit into the size."""
    import io

    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        written = io.BytesIO()
        for colours in _COLOURS:
            written = io.BytesIO()
            picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
            if written.tell() <= LARGEST:
                break
    return written.getvalue()


def main() -> None:
    """Make all of them anew."""
    lacking = provide()
    if lacking:
        raise SystemExit(lacking)
    home = Path(tempfile.mkdtemp(prefix="whistle-pictures-"))
    home.chmod(0o711)
    try:
        with stage(home / "home") as made, chromium() as browser, served(made) as address:
            for shot in SHOTS:
                picture = small(shoot(browser, made, address, shot))
                (FOLDER / f"{shot.name}.png").write_bytes(picture)
                print(f"{shot.name}.png  {len(picture) // 1000} KB")  # noqa: T201 - a command
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
