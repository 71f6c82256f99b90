"""The access log: who has opened what, and why. For auditors, and for the schools' own people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.given import number_of
from api.pages import words
from api.pages.frame import Framed
from cases import administered, looks, post_log, search
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)


@router.get("/admin/log")
def log(page: Framed, number: str = "", by: str = "", after: str = "") -> Response:
    """Newest first, of all that the reader may audit; `looks` decides what that is."""
    whose = number_of(by)
    # Auditors see the log and no case: as a reader of cases the database would show them neither.
    with page.writing() as session:
        written = number.strip()[:24]
        wanted = search.whole_number(session, written) if written else None
        missing = False
        try:
            found = looks.looks(
                session.connection, page.reader.actor, number=wanted, by=whose, cursor=after or None, most=40
            )
        except Refusal as refusal:
            if wanted is None or refusal.code != "not_found":
                raise
            missing, found = True, looks.looks(session.connection, page.reader.actor, by=-1)
        places = administered.names(session.connection, sorted({one.organisation for one in found.items}))
        auditor = "auditor" in page.roles and wanted is None and whose is None and not after
        changes = post_log.changes(session.connection, page.reader.actor, most=40).items if auditor else ()
        return page.show(
            "admin/log.html", session, lines=found.items, more=found.next, number=number.strip()[:24], by=by,
            missing=missing, places=places, changes=changes, changed=words.CHANGES,
            sections=words.SECTIONS, role_words=words.ROLES,
        )  # fmt: skip
