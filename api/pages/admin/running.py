"""Whether all is well: the checks of `whistle doctor`; the channels, with a test that really goes out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.commands.home import home_of, key_path
from api.delivery import examined, trial_letter, wires
from api.pages.admin.desk import Administered
from api.pages.frame import Page, Posted
from api.signin import oversight
from cases import administered, examination, health
from cases.directory_fault import DirectoryFault
from cases.layout import reader as wishes_of
from cases.office import Session
from notifiers.channels import Recipient
from notifiers.faults import ChannelFault, spoken

router = APIRouter(include_in_schema=False)


@router.get("/admin/health")
def shown(page: Administered) -> Response:
    """Every check but those of the orchestrator, which `whistle doctor` asks where it runs."""
    house = page.house
    home = home_of(house.settings)
    checks = [health.of_room(home), health.of_tables(house.store)]
    if key_path(house.settings).exists():
        checks.insert(1, health.of_key_file(key_path(house.settings)))
    if checks[-1].state == "ok":
        checks += examination.examine(house.kept, page.reader.now, house.settings.sweep_every, house.settings.backups)
        checks.append(examined(house.settings, house.store))
    with page.reading() as session:
        return page.show("admin/health.html", session, checks=checks, worst=health.worst(checks), names=health.NAMES)


@router.get("/admin/channels")
def channels(page: Administered) -> Response:
    with page.reading() as session:
        return _channels(page, session)


@router.post("/admin/channels")
def send_test(page: Administered, posted: Posted) -> Response:
    """A message that says nothing about anybody: by one address, or by every channel of a member of the reader's."""
    target = str(posted.get("target", "")).strip()[:500]
    try:
        results = _tried(page, target)
    except (DirectoryFault, ChannelFault) as fault:
        with page.reading() as session:
            return _channels(page, session, target=target, error=fault.text(page.language))
    with page.reading() as session:
        return _channels(page, session, results=results, asked=True)


def _tried(page: Page, target: str) -> list[tuple[str, str, bool]]:
    """Schema, what is said of it, and whether it went; the address itself is a secret and isn't repeated."""
    if "://" in target or target in {"mail", "sms"}:
        addresses, recipient, language = [target], Recipient(), page.language
    else:
        with page.reading() as session:
            wish = wishes_of(session.connection, target)
            oversight.may_govern(
                session.connection, session.office.directory, page.reader.actor, wish.member, page.reader.now
            )
        addresses, recipient, language = list(wish.channels), wish.recipient, wish.language
    # Nothing is sent inside a transaction: a slow service would hold it open.
    through = wires(page.house.settings)
    letter = trial_letter(page.house.settings.link, language)
    results = []
    for address in addresses:
        opened = through.open(address, recipient)
        fault = opened.send(letter).fault
        results.append((opened.schema, spoken(fault, page.language) if fault else page.say("Sent."), not fault))
    return results


def _channels(page: Page, session: Session, *, error: str = "", target: str = "", **facts: Any) -> Response:  # noqa: ANN401
    given: dict[str, Any] = {"results": [], "asked": False, **facts}
    lanes = administered.lanes(session.connection)
    status = 422 if error else 200
    given["errors"] = {"f-target": error} if error else {}
    return page.show("admin/channels.html", session, status=status, lanes=lanes, target=target, **given)
