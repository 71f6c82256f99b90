"""Words for a message: Jinja templates in both languages, checked as a whole before the first is used."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from notifiers.faults import TemplateFault
from notifiers.message import CALLED, KINDS, LANGUAGES, LEVELS, OWING, Entry, Message, Owed, Rendered

if TYPE_CHECKING:
    from jinja2 import Environment, Template

ONE_CASE: Final = ("told", *OWING)
PARTS: Final = ("subject.txt", "body.txt", "body.html")
_HERE: Final = Path(__file__).parent / "templates"
# A template is a small program: these are the ways in which one can fail while it is filled in.
_BROKEN: Final = (RuntimeError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_UNKNOWN: Final = re.compile(r"'(?P<field>[^']+)' is undefined|attribute '(?P<attribute>[^']+)'")


class Templates:
    """Every template of every kind, `<kind>/<language>/{subject.txt,body.txt,body.html}`.

    `overlay` is a folder of an installation's own versions, which go before ours. Raises TemplateFault with every
    template that is broken, missing or asks for an unknown field. `zone` is the policy's time zone.
    """

    def __init__(self, zone: tzinfo, overlay: Path | None = None) -> None:
        self._zone = zone
        self._templates = self._read(_environment(overlay))
        self._try_all()

    def render(self, message: Message, language: str, key: str) -> Rendered:
        """The message in `zh_CN` or `en`; any other language is answered in English."""
        spoken = language if language in LANGUAGES else "en"
        fields = self._fields(message, spoken)
        subject, text, page = (self._filled(message.kind, spoken, part, fields) for part in PARTS)
        # Everything is escaped, so that no template can forget to; plain text is then read back as such.
        subject = " ".join(html.unescape(subject).split())
        return Rendered(
            key=key,
            kind=message.kind,
            subject=subject,
            text=html.unescape(text).strip() + "\n",
            html=page,
            brief=f"{subject} {message.link}",
            urgent=message.urgent,
            language=spoken,
        )

    def _filled(self, kind: str, language: str, part: str, fields: Mapping[str, Any]) -> str:
        from jinja2 import TemplateError

        try:
            return self._templates[kind, language, part].render(fields)
        except (TemplateError, *_BROKEN) as fault:
            raise TemplateFault([_told(f"{kind}/{language}/{part}", fault)]) from None

    def _fields(self, message: Message, language: str) -> Mapping[str, Any]:
        entries = [self._entry(entry, language) for entry in message.entries]
        # A list has no number and no limit of its own: a template that asks for one is at fault.
        one = entries[0] if message.kind in ONE_CASE and entries else {}
        return {**message.counts, **one, "link": message.link, "entries": entries}

    def _entry(self, entry: Entry, language: str) -> dict[str, Any]:
        place = LANGUAGES.index(language)
        owed = [{"what": one.what[place], "until": self._when(one.until, language)} for one in entry.owed]
        return {
            "number": entry.number,
            "level": LEVELS[entry.level][place],
            "called": CALLED[entry.kind][place],
            "owed": owed,
            "link": entry.link,
        }

    def _when(self, at: datetime, language: str) -> str:
        local = at.astimezone(self._zone)
        if language == "zh_CN":
            return f"{local.month}月{local.day}日 {local:%H:%M}"
        return f"{local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"

    def _read(self, environment: Environment) -> dict[tuple[str, str, str], Template]:
        from jinja2 import TemplateNotFound, TemplateSyntaxError

        found: dict[tuple[str, str, str], Template] = {}
        faults: list[tuple[str, str, str]] = []
        for kind, language, part in _wanted():
            name = f"{kind}/{language}/{part}"
            try:
                found[kind, language, part] = environment.get_template(name)
            except TemplateNotFound as fault:
                faults.append((name, f"缺少模板 {fault.name}", f"the template {fault.name} is missing"))
            except TemplateSyntaxError as fault:
                where = f"{fault.name}:{fault.lineno}"
                faults.append((name, f"第 {fault.lineno} 行语法有误（{where}）", f"{where}: {fault.message}"))
        if faults:
            raise TemplateFault(faults)
        return found

    def _try_all(self) -> None:
        """Render every template with a message that has everything, so that a fault is told at the start."""
        faults: list[tuple[str, str, str]] = []
        for kind, language, part in self._templates:
            try:
                self._filled(kind, language, part, self._fields(_specimen(kind), language))
            except TemplateFault as fault:
                faults += fault.faults
        if faults:
            raise TemplateFault(faults)


def _told(name: str, fault: Exception) -> tuple[str, str, str]:
    """What is wrong with a template, in both languages."""
    unknown = _UNKNOWN.search(str(fault))
    if unknown is None:
        return name, f"无法生成：{fault}", f"it can't be rendered: {fault}"
    what = unknown["field"] or unknown["attribute"]
    return name, f"没有“{what}”这个字段", f"there is no field {what!r}"


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _wanted() -> list[tuple[str, str, str]]:
    return [(kind, language, part) for kind in KINDS for language in LANGUAGES for part in PARTS]


def _environment(overlay: Path | None) -> Environment:
    from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    folders = [folder for folder in (overlay, _HERE) if folder is not None]
    return ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _specimen(kind: str) -> Message:
    """A message that has everything which one of its kind may have."""
    at = datetime(2026, 3, 17, 0, 20, tzinfo=UTC)
    owed = (Owed(("签收", "acknowledging"), at), Owed(("报到", "reporting in"), at))
    entry = Entry("NJ-2026-000001", "red", kind if kind in ONE_CASE else "owes", owed, "https://whistle.invalid/c")
    counts = {"joined": {"messages": 2}, "digest": {"overdue": 1, "due_today": 1, "opened": 1}}
    entries = (entry,) if kind in ONE_CASE else (entry, entry) if kind in counts else ()
    return Message(kind, entries, "https://whistle.invalid/", counts.get(kind, {}))
