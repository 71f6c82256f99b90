"""What has to be known before a step is taken that looks harmless: shown above its form, it forbids nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from api.pages.frame import Page
from cases.casefile import CaseFile
from cases.offers import Offer


def cautions(page: Page, case: CaseFile, offer: Offer) -> list[str]:
    """A sentence each."""
    found = _BY_STEP.get((offer.declared.kind, offer.move.name))
    said = found(page, case, offer) if found is not None and offer.free else ""
    return [said] if said else []


def _acute(page: Page, case: CaseFile, offer: Offer) -> str:
    """The newest round of this return in which either side saw an acute risk."""
    rounds = [one for one in case.of_kind("check_in") if one.parent == offer.record.no]
    acute = [one for one in rounds if "acute" in one.facts.get("risk", {}).values()]
    if not acute:
        return ""
    week = max(int(one.facts["week"]) for one in acute)
    return page.say("The check-in of week %(week)s reported an acute risk. Is the student really stable?") % {
        "week": week
    }


def _withdrawing(page: Page, _case: CaseFile, _offer: Offer) -> str:
    return page.say(
        "Every assignment and every limit of this case ends with it; only a mandatory report goes on. "
        "It can't be taken back."
    )


def _evaluating(page: Page, case: CaseFile, _offer: Offer) -> str:
    if any(one.kind == "assignment" and not one.facts.get("reworked") for one in case.tracks.values()):
        return page.say("A score of 1 or 2 sends the case back to that organisation to be worked on again.")
    return ""


_BY_STEP: Final[Mapping[tuple[str, str], Callable[[Page, CaseFile, Offer], str]]] = {
    ("return_to_school", "declare_stable"): _acute,
    ("case", "withdraw"): _withdrawing,
    ("case", "evaluate"): _evaluating,
}
