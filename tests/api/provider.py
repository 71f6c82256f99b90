"""A small identity provider on loopback, a process of its own: what a city's single sign-on does, and its bad days.

Run as `python -m tests.api.provider`: prints its address, and answers until it is ended. Whoever asks is signed in as
the `login_hint` of the setting below; `mood` makes it lie in one way.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})


class State:
    """Who is at the provider's keyboard, how it lies, and the codes that it gave out."""

    person: dict[str, str] = {"sub": "u-1", "preferred_username": "principal.school"}  # noqa: RUF012 - one process
    mood = "honest"
    codes: dict[str, dict[str, Any]] = {}  # noqa: RUF012


class Answers(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    @property
    def issuer(self) -> str:
        assert isinstance(self.server, ThreadingHTTPServer)
        return f"http://127.0.0.1:{self.server.server_port}"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                issuer = "http://127.0.0.1:1" if State.mood == "impostor" else self.issuer
                paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
                self._say({"issuer": issuer} | {name: self.issuer + path for name, path in paths.items()})
            case "/keys":
                self._say({"keys": [KEY.as_dict(private=False)]})
            case "/authorize":
                self._authorise(asked)
            case "/set":
                State.mood = asked.pop("mood", "honest")
                State.person = asked or State.person
                self._say({})
            case _:
                self.send_error(404)

    def _authorise(self, asked: dict[str, str]) -> None:
        wanted = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")
        if asked.get("code_challenge_method") != "S256" or not all(asked.get(name) for name in wanted):
            self.send_error(400)
            return
        code = secrets.token_urlsafe(16)
        State.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        if State.mood == "refusing":
            answer = {"error": "access_denied", "state": asked["state"]}
        if State.mood == "another state":
            answer["state"] = "made-up"
        if State.mood == "mixed up":
            answer["iss"] = "https://elsewhere.example"
        self.send_response(302)
        self.send_header("location", f"{asked['redirect_uri']}?{urlencode(answer)}")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        expected = base64.b64encode(b"whistle:provider-secret").decode()
        asked = State.codes.pop(given.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        right = asked is not None and proof.rstrip(b"=").decode() == asked["code_challenge"]
        if asked is None or not right or self.headers["authorization"] != f"Basic {expected}":
            self._say({"error": "invalid_grant"}, 400)
            return
        self._say({"access_token": "x", "token_type": "Bearer", "id_token": self._token(asked)})

    def _token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "iat": now, "exp": now + 300, "nonce": asked["nonce"],
        } | State.person  # fmt: skip
        lies: dict[str, dict[str, Any]] = {
            "for another": {"aud": "somebody-else"}, "expired": {"exp": now - 3600}, "another nonce": {"nonce": "x"},
            "another issuer": {"iss": "https://elsewhere.example"},
        }  # fmt: skip
        claims |= lies.get(State.mood, {})
        if State.mood == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}."
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, OTHER if State.mood == "forged" else KEY)

    def _say(self, answer: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
