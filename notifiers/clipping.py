"""What a channel has no room for: a long text loses its middle, never its link."""

from __future__ import annotations

from typing import Final

_MORE: Final = {"zh_CN": "……另有 {} 行，请登录查看", "en": "… {} more lines: sign in to read them"}


def clipped(text: str, most: int, language: str = "zh_CN") -> str:
    """At most so many bytes of UTF-8. Too long a text loses lines of its middle and says how many; its link stays."""
    if len(text.encode()) <= most:
        return text
    lines = text.splitlines()
    link = max((place for place, line in enumerate(lines) if "://" in line), default=len(lines))
    kept, end = lines[:link], lines[link:]
    # What stands behind the link goes before it does.
    while end and len("\n".join(end).encode()) > most // 2:
        end.pop()
    lost = 0
    while kept:
        lost += bool(kept.pop().strip())
        shorter = "\n".join([*kept, _MORE[language].format(lost), *end])
        if kept and kept[-1].strip() and len(shorter.encode()) <= most:
            return shorter
    # There is no line that can be left out: the text is cut where it has to be.
    behind = "\n".join(["", *end]) if end else ""
    return _cut("\n".join(lines[:link]), most - len(behind.encode())) + behind


def _cut(text: str, most: int) -> str:
    """At most so many bytes, cut between characters, with an ellipsis where something was cut."""
    whole = text.encode()
    if len(whole) <= most:
        return text
    return whole[: most - len("…".encode())].decode(errors="ignore") + "…"
