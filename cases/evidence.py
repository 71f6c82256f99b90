"""What a form's evidence refers to. A line is a paper's name (`consent.pdf`), or a file of the case: `file:<address>`.

A file is uploaded first (`cases.files`), then referred to; what nothing refers to is cleared away (`cases.clearing`).
The reference goes into the sealed event with everything else, and because an address is made from the content, the
history commits to what the file holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select, update

from cases import access
from cases.attached import file
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from cases.forms import Form
    from cases.sitting import Sitting

PREFIX: Final = "file:"
_REFERENCE: Final = re.compile(r"file:([0-9a-f]{64})")


def reference(address: bytes) -> str:
    """How a form names a file."""
    return PREFIX + address.hex()


def address_of(line: str) -> bytes | None:
    """The address in a reference, or in the hexadecimal part of one alone; None for anything else."""
    found = _REFERENCE.fullmatch(line if line.startswith(PREFIX) else PREFIX + line)
    return None if found is None else bytes.fromhex(found[1])


def referred(sitting: Sitting, form: Form, given: Mapping[str, Any]) -> set[bytes]:
    """The files that a checked form refers to.

    Refuses `invalid` for each that isn't there, is another case's, or lies in a section that the actor doesn't see.
    """
    named = [
        (f"{field.name}.{place}", line)
        for field in form.fields
        if field.kind == "evidence"
        for place, line in enumerate(given.get(field.name, ()))
        if line.startswith(PREFIX)
    ]
    if not named:
        return set()
    wanted = {line: address_of(line) for _, line in named}
    here = _seen(sitting, {one for one in wanted.values() if one is not None})
    faults = [FieldFault(path, "no_file", {"reference": line[:20]}) for path, line in named if wanted[line] not in here]
    if faults:
        raise Refusal("invalid", faults=tuple(faults))
    return here


def _seen(sitting: Sitting, addresses: set[bytes]) -> set[bytes]:
    actor = sitting.actor
    if actor is None or not addresses:
        return set()
    sight = access.sees(actor, sitting.case, sitting.book, sitting.now)
    query = select(file.c.address, file.c.section).where(
        file.c.case_id == sitting.case.id, file.c.address.in_(addresses), file.c.about.is_not(None)
    )
    found = sitting.session.connection.execute(query)
    return {bytes(address) for address, section in found if sight.of(section) == "yes"}


def mark(connection: Connection, addresses: set[bytes], seq: int) -> None:
    """From now on an event refers to these files; the first one is remembered."""
    unmarked = file.c.event_seq.is_(None)
    connection.execute(update(file).where(file.c.address.in_(addresses), unmarked).values(event_seq=seq))
