"""A city's identity provider (OpenID Connect): authorization code with PKCE, state and nonce, over Authlib.

What was asked of it travels in a sealed cookie of the same browser, so that no answer is taken that somebody else
asked for. Who somebody is here is found by a configured claim the first time, by the provider's own subject ever after.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlsplit

import httpx

from api.signin import entering, words
from api.signin.faults import SignInFault
from cases import credentials
from cases.vault import Unreadable

if TYPE_CHECKING:
    from joserfc.jwk import KeySetSerialization
    from joserfc.jwt import Token

    from api.house import House
    from api.settings import Settings
    from api.signin.entering import Entered
    from api.signin.visitor import Visitor
    from cases.vault import Algorithm

SECONDS: Final = 600
"""How long somebody may be away at the provider."""
BACK: Final = "/sign-in/provider/back"
_PLACE: Final = "oidc"
_PATIENCE: Final = 5.0
_KEPT: Final = 600.0
_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "ES384", "Ed25519"]
_LEEWAY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the provider's doors are, by its own discovery document."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None


class _Shelf:
    """What was read of a provider, for ten minutes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, tuple[float, Provider, dict[str, Any]]] = {}

    def of(self, issuer: str, *, anew: bool = False) -> tuple[Provider, dict[str, Any]]:
        """The provider and its keys. Raises SignInFault oidc_away."""
        with self._lock:
            found = self._kept.get(issuer)
            if found is None or anew or time.monotonic() - found[0] > _KEPT:
                provider = _discovered(issuer)
                found = self._kept[issuer] = (time.monotonic(), provider, _read(provider.keys))
        return found[1], found[2]


_SHELF: Final = _Shelf()


def name(settings: Settings, language: str) -> str:
    """What the button on the sign-in page says."""
    place = 0 if language == "zh_CN" else 1
    return words.PAGE["by_provider"][place].format(name=settings.oidc_name or words.PAGE["provider"][place])


def quoted(path: str) -> str:
    """A path as the value of a query."""
    return quote(path, safe="")


def begin(house: House, after: str) -> tuple[str, str]:
    """The provider's address to go to, and the sealed cookie to keep meanwhile.

    Raises SignInFault oidc_off, oidc_away.
    """
    provider, _ = _SHELF.of(_issuer(house))
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _client(house) as client:
        address, state = client.create_authorization_url(provider.authorization, nonce=nonce, code_verifier=verifier)
    asked = {
        "state": state, "nonce": nonce, "verifier": verifier, "after": after, "at": house.clock().timestamp(),
    }  # fmt: skip
    algorithm = cast("Algorithm", house.office.book_of(house.office.current).algorithm)
    sealed = credentials.seal(house.kept.master, algorithm, _PLACE, json.dumps(asked).encode())
    return str(address), base64.urlsafe_b64encode(sealed).decode()


def complete(house: House, sealed: str, answer: Mapping[str, str], visitor: Visitor) -> tuple[Entered, str]:
    """Open a session for whoever the provider says is back, and where they wanted to go.

    The second factor is still asked for where a post needs it. Raises SignInFault oidc_refused for an answer that
    isn't one to our question, oidc_away, oidc_unknown.
    """
    issuer = _issuer(house)
    asked = _opened(house, sealed, visitor.now)
    state = answer.get("state", "")
    if "error" in answer or "code" not in answer or not hmac.compare_digest(state.encode(), asked["state"].encode()):
        raise SignInFault("oidc_refused")
    if answer.get("iss", issuer) != issuer:
        # An answer from another provider, mixed in (RFC 9207).
        raise SignInFault("oidc_refused")
    provider, _ = _SHELF.of(issuer)
    token = _exchanged(house, provider, answer["code"], asked["verifier"])
    claims = _believed(house, token.get("id_token"), asked["nonce"], visitor.now)
    if house.settings.oidc_claim not in claims and provider.userinfo is not None:
        claims = _asked_more(provider.userinfo, token, claims)
    return _entered(house, claims, visitor), asked["after"]


def _entered(house: House, claims: Mapping[str, Any], visitor: Visitor) -> Entered:
    issuer, subject = house.settings.oidc_issuer, str(claims["sub"])
    with house.store.begin() as connection:
        member = credentials.linked(connection, issuer, subject)
        account = None if member is None else credentials.of_member(connection, member)
        if account is None:
            login = claims.get(house.settings.oidc_claim)
            account = credentials.by_login(connection, login) if isinstance(login, str) and login else None
            # A login that another subject has taken already isn't handed on by a change of name over there.
            if account is None or credentials.is_linked(connection, issuer, account.member_id):
                raise SignInFault("oidc_unknown")
            credentials.link(connection, issuer, subject, account.member_id, visitor.now)
            credentials.note(
                connection, account.member_id, "linked", visitor.now, by=account.member_id, address=visitor.network
            )
        return entering.opened_for(house, connection, account, visitor, via="oidc")


def _believed(house: House, id_token: object, nonce: str, now: datetime) -> dict[str, Any]:
    """The claims of an identity token: signed by the provider, for us, for this question, not too old."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    issuer, client = house.settings.oidc_issuer, house.settings.oidc_client
    if not isinstance(id_token, str):
        raise SignInFault("oidc_refused")
    try:
        token = _decoded(id_token, _SHELF.of(issuer)[1])
    except (JoseError, ValueError):
        # The provider may have changed its keys since.
        try:
            token = _decoded(id_token, _SHELF.of(issuer, anew=True)[1])
        except (JoseError, ValueError):
            raise SignInFault("oidc_refused") from None
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(_LEEWAY.total_seconds()),
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    claims = dict(token.claims)
    try:
        registry.validate(claims)
    except JoseError:
        raise SignInFault("oidc_refused") from None
    if claims.get("azp", client) != client or (isinstance(claims["aud"], list) and len(claims["aud"]) > 1):
        raise SignInFault("oidc_refused")
    return claims


def _decoded(id_token: str, keys: dict[str, Any]) -> Token:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    return jwt.decode(id_token, KeySet.import_key_set(cast("KeySetSerialization", keys)), algorithms=_ALGORITHMS)


def _asked_more(address: str, token: Mapping[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """What the provider tells beyond the token, if it is about the same subject."""
    try:
        found = _read(address, {"authorization": f"Bearer {token.get('access_token', '')}"})
    except SignInFault:
        return claims
    return {**found, **claims} if found.get("sub") == claims["sub"] else claims


def _exchanged(house: House, provider: Provider, code: str, verifier: str) -> dict[str, Any]:
    from authlib.common.errors import AuthlibBaseError

    with _client(house) as client:
        try:
            return dict(
                client.fetch_token(provider.token, grant_type="authorization_code", code=code, code_verifier=verifier)
            )
        except httpx.HTTPError:
            raise SignInFault("oidc_away") from None
        except (AuthlibBaseError, ValueError):
            raise SignInFault("oidc_refused") from None


def _client(house: House) -> Any:  # noqa: ANN401 - Authlib isn't typed
    settings = house.settings
    secret = settings.oidc_secret
    return _client_kind()(
        client_id=settings.oidc_client,
        client_secret=None if secret is None else secret.get_secret_value(),
        token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
        scope="openid profile",
        redirect_uri=settings.link.rstrip("/") + BACK,
        code_challenge_method="S256",
        timeout=_PATIENCE,
    )


@cache
def _client_kind() -> Any:  # noqa: ANN401 - Authlib isn't typed
    with warnings.catch_warnings():
        # It would rather have another HTTP client; the whole project has this one. Its own filter comes first.
        import_module("authlib.deprecate")
        warnings.simplefilter("ignore")
        from authlib.integrations.httpx_client import OAuth2Client
    return OAuth2Client


def _opened(house: House, sealed: str, now: datetime) -> dict[str, Any]:
    """What was asked, by the cookie of this browser, if it isn't too long ago."""
    try:
        blob = base64.urlsafe_b64decode(sealed.encode("ascii", "replace"))
        asked: dict[str, Any] = json.loads(credentials.unseal(house.kept.master, _PLACE, blob))
    except (binascii.Error, ValueError, Unreadable):
        raise SignInFault("oidc_refused") from None
    age = now - datetime.fromtimestamp(asked["at"], UTC)
    if not timedelta(0) <= age <= timedelta(seconds=SECONDS):
        raise SignInFault("oidc_refused")
    return asked


def _issuer(house: House) -> str:
    issuer = house.settings.oidc_issuer
    if not issuer:
        raise SignInFault("oidc_off")
    return issuer


def _discovered(issuer: str) -> Provider:
    found = _read(issuer.rstrip("/") + "/.well-known/openid-configuration")
    try:
        provider = Provider(
            found["issuer"],
            found["authorization_endpoint"],
            found["token_endpoint"],
            found["jwks_uri"],
            found.get("userinfo_endpoint"),
        )
    except KeyError:
        raise SignInFault("oidc_away") from None
    if provider.issuer != issuer:
        # Whoever answers there speaks for somebody else.
        raise SignInFault("oidc_refused")
    return provider


def _read(address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise SignInFault("oidc_away")
    try:
        # No redirect is followed: what we were told to read is what we read.
        answer = httpx.get(address, headers=headers, timeout=_PATIENCE, follow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError):
        raise SignInFault("oidc_away") from None
    if not isinstance(found, dict):
        raise SignInFault("oidc_away")
    return found
