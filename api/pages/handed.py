"""Files that come along with a trigger's form: kept at once, so that an error elsewhere in it loses none of them.

What is kept stands in the form as a ticked file of the case; what no move takes up is cleared away after seven days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import FormData, UploadFile

from api.pages.frame import Page
from cases import files
from cases.forms import Form
from cases.refusal import FieldFault, Refusal
from cases.vault import Section

FILES: Final = "_files."
"""What the file input of a field is called: `_files.evidence`."""
MOST: Final = 10
"""So many files with one form; the request itself is bounded too."""
_SEALED: Final[dict[str, Section]] = {"identity": "identity", "narrative": "narrative", "clinical": "clinical"}


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of the files of a form: references by field, and a fault for each that isn't taken."""

    references: dict[str, list[str]] = field(default_factory=dict)
    faults: tuple[FieldFault, ...] = ()


def handed_in(page: Page, number: str, form: Form, posted: FormData) -> Handed:
    """Keep the files that came with a form of this case, each in the section of its field.

    Refuses as `files.keep` does, save what is wrong with a file itself: that is a fault of its field.
    """
    references: dict[str, list[str]] = {}
    faults: list[FieldFault] = []
    for place, (name, section, file) in enumerate(_given(form, posted)):
        called = file.filename or ""
        if place >= MOST:
            faults.append(FieldFault(name, "too_many", {"le": str(MOST)}))
            break
        try:
            with page.writing() as session:
                content = file.file.read()
                kept = files.keep(session, number, page.reader.actor, called, content, section, page.reader.now)
        except Refusal as refusal:
            if refusal.code != "invalid":
                raise
            faults += [FieldFault(name, one.code, {**one.facts, "file": called}) for one in refusal.faults]
            continue
        references.setdefault(name, []).append(kept.reference)
    return Handed(references, tuple(faults))


def takes_files(form: Form) -> bool:
    """Whether the form has a field for files."""
    return any(one.kind == "evidence" for one in form.fields)


def _given(form: Form, posted: FormData) -> Iterator[tuple[str, Section, UploadFile]]:
    for one in form.fields:
        if one.kind != "evidence":
            continue
        for sent in posted.getlist(FILES + one.name):
            # An input that was left empty is sent as a file without a name.
            if isinstance(sent, UploadFile) and sent.filename:
                yield one.name, _SEALED.get(one.section, "narrative"), sent
