"""What a page asks beyond the declaration of its trigger.

An optional field of a declaration has a meaning when it is left out, and a machine that leaves it out has read which.
A person who passes over it hasn't: where that meaning decides about others, the page wants it said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from cases.forms import Form
from cases.refusal import FieldFault

INSISTED: Final[Mapping[str, tuple[str, ...]]] = {
    # Without one the feedback counts as accepted, which a reason for the contrary would be recorded under.
    "assignment.settle_dispute": ("ruling",),
}
"""By `kind.trigger`: optional fields that a page shows first, with nothing chosen, and doesn't send without."""


def asked(kind: str, trigger: str, declared: Form) -> Form:
    """The form as its page asks it."""
    wanted = INSISTED.get(f"{kind}.{trigger}", ())
    first = [replace(one, required=True) for one in declared.fields if one.name in wanted]
    return Form((*first, *(one for one in declared.fields if one.name not in wanted))) if first else declared


def unsaid(kind: str, trigger: str, given: Mapping[str, Any]) -> tuple[FieldFault, ...]:
    """A fault for each such field that was passed over."""
    return tuple(FieldFault(one, "missing") for one in INSISTED.get(f"{kind}.{trigger}", ()) if one not in given)
