"""Why a case is there at all, beside the next step: what the whistle said last, and what a hospital was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from api.pages import words
from api.pages.sheet import Sheet
from cases.dossier import Told

_WHISTLE: Final = frozenset({"whistle", "submit", "save_draft"})
_ASKED: Final = ("reason", "purpose", "screening")
_REPORTED: Final = frozenset({"due", "filed"})


def reasons(sheet: Sheet) -> list[tuple[str, str]]:
    """Label and text, as far as the reader's sight goes; of a referral only for those who see to it."""
    return [*_whistled(sheet), *_referred(sheet)]


def _whistled(sheet: Sheet) -> Iterator[tuple[str, str]]:
    told = [one for one in sheet.history if one.kind == "case" and one.trigger in _WHISTLE]
    said = next((one.said["summary"] for one in reversed(told) if one.said.get("summary")), "")
    if said:
        yield sheet.page.word(words.field_label("case", "whistle", "summary")), str(said)


def _referred(sheet: Sheet) -> Iterator[tuple[str, str]]:
    own = [one for one in sheet.case.of_kind("referral") if one.organisation in sheet.places]
    told = _proposal(sheet, own[-1].no) if own else None
    for name in _ASKED if told is not None else ():
        text = told.said.get(name) if told is not None else None
        if text:
            label = sheet.page.word(words.field_label("referral", "propose", name))
            yield f"{sheet.page.word(sheet.session.office.tracks['referral'].label)} · {label}", str(text)


def _proposal(sheet: Sheet, no: int) -> Told | None:
    return next((one for one in sheet.history if one.track == no and one.trigger == "propose"), None)


def weighing(sheet: Sheet) -> str:
    """Where to raise the mandatory report while a guardian refuses the admission and none is at work; else empty."""
    refused = any(one.state == "admission_refused" for one in sheet.case.of_kind("referral"))
    if not refused or any(one.state in _REPORTED for one in sheet.case.of_kind("mandatory_report")):
        return ""
    raising = (one for one in sheet.offered if (one.declared.kind, one.move.name) == ("mandatory_report", "raise"))
    offer = next((one for one in raising if one.free), None)
    return sheet.button(offer).address if offer is not None else ""
