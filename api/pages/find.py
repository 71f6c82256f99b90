"""Search: by number or by the exact name of the student."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.frame import Framed
from api.pages.parts import headed, named
from cases import access, search
from cases.offers import may_break_glass
from cases.outlines import NOBODY

router = APIRouter(include_in_schema=False)


@router.get("/search")
def find(page: Framed, q: str = "") -> Response:
    """Exactly one case found is opened at once; a name that nobody sees finds nothing, and doesn't say so."""
    with page.opening() as session:
        actor, now = page.reader.actor, page.reader.now
        asked = q.strip()[:80]
        files = search.find(session, actor, asked, now) if asked else []
        if len(files) == 1:
            return page.go(f"/cases/{files[0].number}")
        seen = named(session, files)
        heads = []
        for file in files:
            book = session.office.book_of(file.policy)
            sight = access.sees(actor, file, book, now)
            heads.append(headed(page, session, book, file, sight.identity, seen.get(file.student, NOBODY)))
        # Offered for any number, so that it tells nothing of whether there is such a case.
        year = page.reader.now.astimezone(page.tongue.zone).year
        glass = search.number_in(asked, year) if not heads and may_break_glass(page.roles) else ""
        return page.show("search.html", session, asked=asked, heads=heads, glass=glass)
