"""The application: everything that answers over HTTP, put together for one house."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api import errors, fhir, pages, rest
from api.asked import TheHouse
from api.envelope import Envelope
from api.pages import signin as signin_pages
from api.signin import rest as signin_rest
from api.signin import rest_accounts
from cases import measures, schema, standby
from cases.store_fault import StoreFault

if TYPE_CHECKING:
    from api.house import House

health = APIRouter()

LOOPBACK = frozenset({"127.0.0.1", "::1", "testclient"})


def create(house: House) -> FastAPI:
    """The application over this house. Opens nothing and starts nothing."""
    from importlib.metadata import version

    app = FastAPI(
        title="吹哨报到 Whistle and report",
        version=version("whistle-and-report"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.house = house
    app.include_router(health)
    app.include_router(signin_rest.router, prefix="/api/v1")
    app.include_router(rest_accounts.router, prefix="/api/v1")
    app.include_router(rest.router, prefix="/api/v1")
    rest.describe(app)
    app.include_router(fhir.router, prefix="/fhir/R4")
    # Before the other pages: whoever isn't signed in must get here.
    app.include_router(signin_pages.router)
    app.include_router(pages.router)
    _mount_static(app)
    errors.install(app)
    app.add_middleware(Envelope, settings=house.settings)
    return app


def _mount_static(app: FastAPI) -> None:
    from importlib.util import find_spec

    if find_spec("api.pages.assets") is not None:
        from api.pages import assets

        app.mount("/static", assets.serve)


@health.get("/health/live", include_in_schema=False)
def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@health.get("/health/ready", include_in_schema=False)
def ready(house: TheHouse) -> Response:
    """Whether requests can be answered: the database is there with this version's tables. For a proxy in front.

    Once sweeping has stopped it still says yes, with a warning: to take every web service out for that would take away
    the pages, and the standby that sweeps meanwhile. Whoever watches asks `/health`.
    """
    found = _found(house)
    return JSONResponse(found, 503, {"Retry-After": "10"}) if found["status"] == "bad" else JSONResponse(found)


@health.get("/health", include_in_schema=False)
def well(house: TheHouse) -> Response:
    """Whether all of it works, for a monitoring system: red, 503, where `ready` is, and once sweeping has stopped."""
    found = _found(house)
    if found["status"] == "ok":
        return JSONResponse(found)
    return JSONResponse({**found, "status": "bad"}, 503, {"Retry-After": "10"})


def _found(house: House) -> dict[str, str]:
    try:
        if schema.found(house.store) != schema.wanted():
            return {"status": "bad", "database": "other_version"}
        with house.store.read() as connection:
            since = standby.stopped_since(connection)
    except StoreFault as fault:
        return {"status": "bad", "database": fault.code}
    return {"status": "ok"} if since is None else {"status": "warn", "sweep_stopped_since": since.isoformat()}


@health.get("/metrics", include_in_schema=False)
def metrics(request: Request, house: TheHouse) -> Response:
    """Figures for a monitoring system: from this machine, or with the token of the settings."""
    wanted = house.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if wanted is not None:
        if not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            raise HTTPException(404)
    elif request.client is None or request.client.host not in LOOPBACK or "x-forwarded-for" in request.headers:
        raise HTTPException(404)
    with house.store.read() as connection:
        found = measures.read(connection, house.clock())
    return PlainTextResponse(measures.exposition(found), headers={"content-type": measures.CONTENT_TYPE})
