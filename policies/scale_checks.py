"""What a screening scale must say: bands without gap, items that exist."""

from __future__ import annotations

from policies.faults import Where
from policies.reading import Plain, Reading
from policies.tree import all_there, at, entries, group, number
from policies.tree import items as items_of
from policies.vocabulary import SCALES, Words


def check_scales(reading: Reading) -> None:
    """Note every fault of the scales in the reading."""
    section = group(at(reading.tree, "scales"))
    all_there(reading, ("scales",), section, SCALES, Words("量表", "scale"))
    for where, one in entries(reading.tree, "scales"):
        items, answers = number(one, "items"), at(one, "answers")
        if items is None or not isinstance(answers, tuple) or len(answers) != 2:
            continue
        highest = answers[1]
        if not isinstance(highest, int) or isinstance(highest, bool):
            continue
        if ("bands" in one) == ("triage" in one):
            reading.fault(
                where,
                Words("bands 和 triage 应恰有一个", "it needs exactly one of bands and triage"),
                Words("按总分用 bands，是/否题用 triage", "bands for a total, triage for yes and no"),
            )
        _bands(reading, where, one, items * highest)
        _items(reading, where, one, items, highest)


def _bands(reading: Reading, where: Where, one: dict[str, Plain], top: int) -> None:
    bands = at(one, "bands")
    if not isinstance(bands, tuple):
        return
    expected = 0
    for place, band in enumerate(bands):
        lowest, highest = number(band, "from"), number(band, "to")
        if lowest is None or highest is None:
            return
        if lowest != expected or highest < lowest:
            reading.fault(
                (*where, "bands", place),
                Words(f"{lowest}–{highest} 与前后不衔接", f"{lowest}–{highest} leaves a gap or overlaps"),
                Words(
                    f"从 {expected} 开始，到不小于 {expected} 的分数为止",
                    f"from {expected} on, to {expected} or more",
                ),
            )
        expected = highest + 1
    if expected != top + 1:
        reading.fault(
            (*where, "bands"),
            Words(f"各段止于 {expected - 1}", f"the bands end at {expected - 1}"),
            Words(f"最高总分是 {top}", f"the highest total is {top}"),
        )


def _items(reading: Reading, where: Where, one: dict[str, Plain], items: int, highest: int) -> None:
    known = Words(f"题号 1 至 {items}", f"items 1 to {items}")
    for item, least in group(at(at(one, "alarm"), "items")).items():
        here: Where = (*where, "alarm", "items", item)
        # Its number is a name: "09" would never be found among the answers.
        if item not in {str(place) for place in range(1, items + 1)}:
            reading.fault(here, Words(f"没有第 {item} 题", f"there is no item {item}"), known)
        elif isinstance(least, int) and least > highest:
            reading.fault(
                here,
                Words(f"没有 {least} 这个答案", f"no answer is {least}"),
                Words(f"1 至 {highest}", f"1 to {highest}"),
            )
    for place, band in enumerate(items_of(one, "triage")):
        for number_of, asks in enumerate(items_of(band, "any_of")):
            if isinstance(asks, int) and asks > items:
                reading.fault(
                    (*where, "triage", place, "any_of", number_of),
                    Words(f"没有第 {asks} 题", f"there is no item {asks}"),
                    known,
                )
