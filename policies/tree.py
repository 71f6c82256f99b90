"""Looking into a plain tree without stumbling: whatever isn't there, or is of another type, is simply not found."""

from __future__ import annotations

from collections.abc import Iterator

from policies.faults import Where
from policies.reading import Plain


def at(tree: Plain, name: str) -> Plain:
    """The value of a field."""
    return tree.get(name) if isinstance(tree, dict) else None


def group(tree: Plain) -> dict[str, Plain]:
    """The fields of a group; none for anything else."""
    return tree if isinstance(tree, dict) else {}


def entries(tree: Plain, section: str) -> Iterator[tuple[Where, dict[str, Plain]]]:
    """Each entry of a section that is a group of fields, whether the section is a list or has names."""
    there = at(tree, section)
    if isinstance(there, dict):
        named: Iterator[tuple[str | int, Plain]] = iter(there.items())
    elif isinstance(there, tuple):
        named = iter(enumerate(there))
    else:
        return
    for name, entry in named:
        if isinstance(entry, dict):
            yield (section, name), entry


def text(tree: Plain, name: str) -> str | None:
    """A field's text."""
    value = at(tree, name)
    return value if isinstance(value, str) else None


def texts(tree: Plain, name: str) -> tuple[str, ...]:
    """The texts of a field's list."""
    value = at(tree, name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()


def number(tree: Plain, name: str) -> int | None:
    """A field's whole number."""
    value = at(tree, name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
