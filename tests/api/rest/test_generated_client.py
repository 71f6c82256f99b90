"""A client that a program writes from the document runs a case: from the whistle to the acknowledgement and on."""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from openapi_python_generator.common import Formatter, HTTPLibrary
from openapi_python_generator.generate_data import generate_data

from api.signin.scopes import SCOPES
from cases.store import Store
from tests.api.door import Door, door_of
from tests.town import STUDENT


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(door: Door) -> Iterator[str]:
    """The application on a port of this machine."""
    served = uvicorn.Server(uvicorn.Config(door.app, "127.0.0.1", 0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not served.started and time.monotonic() < until:
        time.sleep(0.02)
    port = served.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    served.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def client(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the package that was generated."""
    place = tmp_path_factory.mktemp("generated")
    document = place / "openapi.json"
    document.write_text(json.dumps(door.stranger().get("/api/v1/openapi.json").json()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        generate_data(document, place / "whistle_client", HTTPLibrary.httpx, formatter=Formatter.NONE)
    sys.path.insert(0, str(place))
    yield "whistle_client"
    sys.path.remove(str(place))


class Generated:
    """The generated package as one member's: every call with that member's token."""

    def __init__(self, package: str, address: str, door: Door, who: str) -> None:
        self._package = package
        self.models = importlib.import_module(f"{package}.models")
        config = importlib.import_module(f"{package}.api_config").APIConfig
        secret = door.token(who, *SCOPES).headers["authorization"].removeprefix("Bearer ")
        self._config = config(base_path=address, access_token=secret)

    def call(self, noun: str, name: str, **given: Any) -> Any:  # noqa: ANN401 - whatever the generated code takes
        """Call a generated function."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            service = importlib.import_module(f"{self._package}.services.{noun}_service")
            function: Callable[..., Any] = getattr(service, name)
            return function(self._config, **given)


def test_a_generated_client_runs_a_case_from_the_whistle_to_feedback(door: Door, client: str, address: str) -> None:
    counselor = Generated(client, address, door, "counselor@school")
    street = Generated(client, address, door, "officer@street")
    whistle = {
        "trigger": "whistle", "concern": "harmful_home", "level": "red", "summary": "Bruises.", "student": STUDENT,
    }  # fmt: skip
    opened = counselor.call("cases", "open_case", data=whistle, Idempotency_Key="generated-1")
    again = counselor.call("cases", "open_case", data=whistle, Idempotency_Key="generated-1")
    assert again.number == opened.number

    found = street.call("tracks", "list_assignments", state=["summoned"])
    mine = next(one for one in found.items if one.organisation == door.town.places["street"].id)
    at = {"number": opened.number, "no": mine.no, "Idempotency_Key": "generated-2", "If_Match": "*"}
    moved = street.call("assignment", "assignment_acknowledge", data=street.models.AssignmentAcknowledgeForm(), **at)
    assert (moved.track_state, moved.events) == ("acknowledged", [5])

    arrival = street.models.AssignmentReportInForm(
        at=door.now.isoformat(), where="the school gate", mode="on_site", people=["李雷"]
    )
    street.call("assignment", "assignment_report_in", data=arrival, **{**at, "Idempotency_Key": "generated-3"})
    said = street.models.AssignmentGiveFeedbackForm(measures="visited", outcome="solved")
    fed_back = street.call(
        "assignment", "assignment_give_feedback", data=said, **{**at, "Idempotency_Key": "generated-4"}
    )
    assert fed_back.track_state == "fed_back"
    assert counselor.call("cases", "read_case", number=opened.number).version == fed_back.version


def test_every_operation_of_the_document_has_become_a_function(door: Door, client: str) -> None:
    package = importlib.import_module(client)
    written = "".join(one.read_text() for one in (Path(package.__file__ or "").parent / "services").glob("*.py"))
    operations = [
        operation["operationId"] for item in door.app.openapi()["paths"].values() for operation in item.values()
    ]
    assert len(operations) == len(set(operations))
    assert [name for name in operations if f"def {name}(" not in written] == []
