"""Forms as a browser sends them: what is on the page, filled in, posted back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpx import Response

    from tests.api.door import Client

Values = Mapping[str, str | list[str]]


class _Reader(HTMLParser):
    """Collects the forms of a page with what they carry: hidden fields, what is chosen, what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, dict[str, list[str]], set[str]]] = []
        self._area = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), given.get("method", "get"), {}, set()))
            return
        if not self.forms or not given.get("name"):
            if tag == "option" and self._select and "selected" in given:
                self._put(self._select, given.get("value", ""))
            return
        name = given["name"]
        self.forms[-1][3].add(name)
        if tag == "input" and given.get("type") in {"radio", "checkbox"}:
            if "checked" in given:
                self._put(name, given.get("value", "on"))
        elif tag == "input":
            self._put(name, given.get("value", ""))
        elif tag == "textarea":
            self._area = name
            self._put(name, "")
        elif tag == "select":
            self._select = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1][2][self._area][-1] += data.removeprefix("\n")

    def _put(self, name: str, value: str) -> None:
        self.forms[-1][2].setdefault(name, []).append(value)


def forms_on(text: str) -> list[tuple[str, str, dict[str, list[str]], set[str]]]:
    """Every form of a page: address, method, contents, names."""
    reader = _Reader()
    reader.feed(text)
    return reader.forms


def form_on(answer: Response, action: str = "") -> tuple[str, dict[str, list[str]], set[str]]:
    """The form of a page that goes to `action` (the first that posts, without one): address, contents, names."""
    for where, method, contents, names in forms_on(answer.text):
        if method == "post" and (not action or where.endswith(action)) and not where.startswith("/sign-out"):
            return where, contents, names
    raise AssertionError(f"no form to {action or 'anywhere'} on the page: {headings(answer)}")


def send(client: Client, answer: Response, values: Values | None = None, action: str = "") -> Response:
    """Fill the page's form in and send it."""
    where, contents, names = form_on(answer, action)
    unknown = set(values or {}) - names - {"later"}
    assert not unknown, f"the form has no {unknown}: it has {sorted(names)}"
    whole: dict[str, list[str]] = dict(contents)
    for name, value in (values or {}).items():
        whole[name] = [value] if isinstance(value, str) else value
    sent: Response = client.post(where, data=whole)
    return sent


def follow(client: Client, answer: Response) -> Response:
    """The page that an answer leads to."""
    while answer.status_code == 303:
        answer = client.get(answer.headers["location"])
    return answer


def headings(answer: Response) -> str:
    """What a page is about, for a failing test's message."""
    found = re.findall(r"<h1[^>]*>(.*?)</h1>|class=\"err\"[^>]*>(.*?)</span>|<p>(.*?)</p>", answer.text, re.DOTALL)
    return f"{answer.status_code} " + " | ".join(re.sub(r"<.*?>", "", "".join(one)).strip() for one in found)[:600]
