"""The pages of signing in: plain forms, no script. What they do stands in `api.signin`.

They have a frame of their own: whoever sees them has no work list, no messages and no name yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api import errors, tongue
from api.asked import Asked, HalfSignedIn, Reader, Reading, TheHouse, Writing, believed
from api.house import House
from api.pages import assets
from api.settings import LANGUAGES
from api.signin import cookies, entering, oidc, stages, words
from api.signin.entering import Entered
from api.signin.faults import SignedOut, SignInFault
from api.signin.visiting import expected_mark, form_mark, safe_next, visitor
from cases import credentials, standing

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=1000)]
_TEMPLATES: Final = Path(__file__).parents[1] / "templates"
_STEPS: Final = {
    "code_needed": "/sign-in/code",
    "enrolment_needed": "/sign-in/enrol",
    "change_needed": "/sign-in/change",
}


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        auto_reload=False,
    )  # fmt: skip
    place = 0 if language == "zh_CN" else 1
    made.globals.update(asset=assets.address, language=language, w=words.PAGE, said_events=words.EVENTS)
    made.filters["said"] = lambda label: label[place]
    return made


def _page(
    request: Request,
    house: House,
    template: str,
    csrf: str,
    *,
    fault: SignInFault | None = None,
    language: str | None = None,
    **facts: Any,  # noqa: ANN401 - whatever the template shows
) -> Response:
    spoken = language or tongue.language(request, house.settings)
    status = 200
    headers: Mapping[str, str] = {}
    if fault is not None:
        status = errors.STATUS_OF.get(fault.code, 409)
        headers = {"Retry-After": fault.facts["seconds"]} if fault.code == "too_many" else {}
    said = None if fault is None else fault.text(spoken)
    here = safe_next(facts.get("next"))
    zone = house.office.book_of(house.office.current).tz

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    given = {
        "wide": False,
        "moment": moment,
        "next": here,
        "login": "",
        "left": False,
        "demo": house.settings.demo,
        **facts,
    }
    made = _environment(spoken).get_template(f"signin/{template}.html")
    place = request.url.path if request.method == "GET" else "/sign-in"
    return HTMLResponse(made.render(csrf=csrf, fault=said, here=place, **given), status, headers)


def _entered(request: Request, house: House, entered: Entered, after: str) -> Response:
    """On to the next step, or to where they wanted to go, with the session's secret as a cookie."""
    cookies.set_session(request, house.settings, entered.opened.secret)
    after = safe_next(after)
    if entered.missing is None:
        return RedirectResponse(after, 303)
    return RedirectResponse(_STEPS[entered.missing] + (f"?next={oidc.quoted(after)}" if after != "/" else ""), 303)


@router.get("/sign-in")
def show_sign_in(request: Request, house: TheHouse, next: str = "", left: str = "") -> Response:  # noqa: A002
    mark = form_mark(request, house)
    return _sign_in_page(request, house, mark, next=next, left=bool(left))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    house: TheHouse,
    login: Text = "",
    password: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    await believed(request, house, expected_mark(request, house))
    knocking = visitor(request, house)
    try:
        entered = await run_in_threadpool(entering.enter, house, _clean(login), _clean(password), knocking)
    except SignInFault as fault:
        mark = form_mark(request, house)
        return _sign_in_page(request, house, mark, next=next, login=login[:64], fault=fault)
    return _entered(request, house, entered, next)


@router.get("/sign-in/first")
def show_first(request: Request, house: TheHouse, next: str = "") -> Response:  # noqa: A002
    return _page(request, house, "first", form_mark(request, house), next=next)


@router.post("/sign-in/first")
async def first(
    request: Request,
    house: TheHouse,
    login: Text = "",
    code: Text = "",
    password: Text = "",
    again: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    await believed(request, house, expected_mark(request, house))
    knocking = visitor(request, house)
    try:
        _same(password, again)
        entered = await run_in_threadpool(
            entering.redeem, house, _clean(login), _clean(code), _clean(password), knocking
        )
    except SignInFault as fault:
        mark = form_mark(request, house)
        return _page(request, house, "first", mark, next=next, login=login[:64], fault=fault)
    return _entered(request, house, entered, next)


@router.get("/sign-in/code")
def show_code(request: Request, house: TheHouse, reader: HalfSignedIn, next: str = "") -> Response:  # noqa: A002
    if reader.standing.strong or not reader.standing.second_factor:
        return RedirectResponse(safe_next(next), 303)
    return _page(request, house, "code", reader.csrf, next=next, language=reader.language)


@router.post("/sign-in/code")
def code(
    request: Request,
    house: TheHouse,
    reader: HalfSignedIn,
    code: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    try:
        entered = entering.second_factor(house, reader.standing, code, visitor(request, house))
    except SignInFault as fault:
        return _page(request, house, "code", reader.csrf, next=next, language=reader.language, fault=fault)
    return _entered(request, house, entered, next)


@router.get("/sign-in/enrol")
def show_enrol(request: Request, house: TheHouse, reader: HalfSignedIn, next: str = "") -> Response:  # noqa: A002
    if reader.standing.second_factor:
        return RedirectResponse("/sign-in/code", 303)
    shown = entering.enrolment(house, reader)
    return _page(request, house, "enrol", reader.csrf, next=next, language=reader.language, shown=shown)


@router.post("/sign-in/enrol")
def enrol(
    request: Request,
    house: TheHouse,
    reader: HalfSignedIn,
    code: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    try:
        entered, codes = entering.enrol(house, reader, code, visitor(request, house))
    except SignInFault as fault:
        if reader.standing.second_factor:
            return RedirectResponse("/sign-in/code", 303)
        shown = entering.enrolment(house, reader)
        return _page(
            request, house, "enrol", reader.csrf, next=next, language=reader.language, shown=shown, fault=fault
        )
    cookies.set_session(request, house.settings, entered.opened.secret)
    after = safe_next(next) if entered.missing is None else _STEPS[entered.missing]
    return _page(request, house, "codes", entered.opened.csrf, language=reader.language, codes=codes, next=after)


@router.get("/sign-in/change")
def show_change(request: Request, house: TheHouse, reader: HalfSignedIn, next: str = "") -> Response:  # noqa: A002
    _past_the_factor(reader, house)
    return _page(request, house, "change", reader.csrf, next=next, language=reader.language)


@router.post("/sign-in/change")
def change(
    request: Request,
    house: TheHouse,
    reader: HalfSignedIn,
    old: Text = "",
    password: Text = "",
    again: Text = "",
    next: Text = "",  # noqa: A002
) -> Response:
    _past_the_factor(reader, house)
    try:
        _same(password, again)
        entered = entering.change_password(house, reader, _clean(old), _clean(password), visitor(request, house))
    except SignInFault as fault:
        return _page(request, house, "change", reader.csrf, next=next, language=reader.language, fault=fault)
    return _entered(request, house, entered, next)


@router.post("/sign-out")
def sign_out(request: Request, house: TheHouse, reader: HalfSignedIn) -> Response:
    entering.leave(house, reader)
    cookies.drop(request, house.settings, cookies.SESSION)
    # What a page left behind in the browser goes with it.
    return RedirectResponse("/sign-in?left=1", 303, headers={"Clear-Site-Data": '"cache", "storage"'})


@router.get("/language/{chosen}")
def choose_language(request: Request, house: TheHouse, chosen: str, next: str = "") -> Response:  # noqa: A002
    """Remember the language in this browser. Changes nothing else, so that a link may do it."""
    if chosen in LANGUAGES:
        line = f"{tongue.COOKIE}={chosen}; Path=/; SameSite=Lax; Max-Age=31536000"
        cookies.add(request, line + ("; Secure" if cookies.secure(house.settings) else ""))
    return RedirectResponse(safe_next(next, signing_in=True), 303)


@router.get("/me/security")
def show_security(request: Request, house: TheHouse, reader: Asked, session: Reading) -> Response:
    number = reader.member.id
    return _page(
        request,
        house,
        "security",
        reader.csrf,
        language=reader.language,
        wide=True,
        visits=standing.visits(session.connection, number, reader.now),
        present=reader.session_id,
        tokens=standing.good_tokens(session.connection, number, reader.now),
        own=credentials.line_of(session.connection, number) is not None,
        factor=reader.standing.second_factor,
        left=credentials.recovery_left(session.connection, number),
        events=credentials.noted(session.connection, number, 30),
        me=number,
    )


@router.post("/me/security/sessions/end")
def end_others(reader: Asked, session: Writing) -> Response:
    standing.revoke_all(session.connection, reader.member.id, reader.now, but=reader.standing.id)
    return RedirectResponse("/me/security", 303)


@router.post("/me/security/sessions/{number}/end")
def end_one(number: UUID, reader: Asked, session: Writing) -> Response:
    standing.revoke(session.connection, number, reader.now, reader.member.id)
    return RedirectResponse("/me/security", 303)


@router.post("/me/security/tokens/{number}/end")
def end_token(number: UUID, reader: Asked, session: Writing) -> Response:
    """Revoke one of one's own; another's, or one that ended already, is passed over."""
    connection, me = session.connection, reader.member.id
    if standing.token_owner(connection, number) == me and standing.revoke_token(connection, number, reader.now):
        credentials.note(connection, me, "token_revoked", reader.now, by=me)
    return RedirectResponse("/me/security", 303)


@router.post("/me/security/recovery-codes")
def draw_codes(request: Request, house: TheHouse, reader: Asked, session: Writing) -> Response:
    if not reader.standing.second_factor:
        raise SignInFault("no_second_factor")
    credentials.note(session.connection, reader.member.id, "recovery_codes", reader.now, by=reader.member.id)
    drawn = entering.recovery_codes(session.connection, reader.member.id)
    return _page(request, house, "codes", reader.csrf, language=reader.language, codes=drawn, next="/me/security")


@router.post("/sign-in/provider")
async def to_provider(request: Request, house: TheHouse, next: Text = "") -> Response:  # noqa: A002
    """Off to the city's identity provider."""
    await believed(request, house, expected_mark(request, house))
    try:
        where, sealed = await run_in_threadpool(oidc.begin, house, safe_next(next))
    except SignInFault as fault:
        return _sign_in_page(request, house, form_mark(request, house), next=next, fault=fault)
    cookies.add(request, cookies.cookie(house.settings, cookies.PROVIDER, sealed, seconds=oidc.SECONDS))
    return RedirectResponse(where, 303)


@router.get("/sign-in/provider/back")
def from_provider(request: Request, house: TheHouse) -> Response:
    """Back from there, with a code that only we can turn into an identity."""
    sealed = request.cookies.get(cookies.name_of(house.settings, cookies.PROVIDER), "")
    cookies.drop(request, house.settings, cookies.PROVIDER)
    try:
        entered, after = oidc.complete(house, sealed, dict(request.query_params), visitor(request, house))
    except SignInFault as fault:
        return _sign_in_page(request, house, form_mark(request, house), fault=fault)
    return _entered(request, house, entered, after)


def _same(password: str, again: str) -> None:
    if password != again:
        raise SignInFault("passwords_differ")


def _sign_in_page(request: Request, house: House, mark: str, **facts: Any) -> Response:  # noqa: ANN401
    spoken = tongue.language(request, house.settings)
    provider = oidc.name(house.settings, spoken) if house.settings.oidc_issuer else None
    return _page(request, house, "sign_in", mark, provider=provider, language=spoken, **facts)


def _past_the_factor(reader: Reader, house: House) -> None:
    missing = stages.missing(reader.actor, reader.standing, house)
    if missing in {"code_needed", "enrolment_needed"}:
        raise SignedOut(missing)


def _clean(text: str) -> str:
    """Without the NUL that no database keeps; nothing that was ever chosen has one."""
    return text.replace("\x00", "\ufffd")
