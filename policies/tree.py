"""Looking into a plain tree without stumbling: what isn't there or has another type is simply not found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.faults import Where, shown
from policies.reading import Plain, Reading
from policies.vocabulary import Words


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


def items(tree: Plain, name: str) -> tuple[Plain, ...]:
    """A field's list; empty for anything else."""
    value = at(tree, name)
    return value if isinstance(value, tuple) else ()


def numbers(tree: Plain, name: str) -> tuple[int, ...]:
    """The whole numbers of a field's list."""
    return tuple(one for one in items(tree, name) if isinstance(one, int) and not isinstance(one, bool))


def all_there(reading: Reading, where: Where, there: Iterable[str], needed: Iterable[str], what: Words) -> None:
    """Note each needed name that isn't there."""
    present = set(there)
    for name in needed:
        if name not in present:
            reading.fault(
                where,
                Words(f"缺少{what.zh_CN} {name}", f"the {what.en} {name} is missing"),
                Words(f"补上 {name}", f"add {name}"),
            )


def no_doubles(reading: Reading, where: Where, words: tuple[str, ...]) -> None:
    """Note each word of a list that stands in it before."""
    for place, word in enumerate(words):
        if word in words[:place]:
            reading.fault(
                (*where, place),
                Words(f"{shown(word)} 重复", f"{shown(word)} stands twice"),
                Words("只写一次", "write it once"),
            )
