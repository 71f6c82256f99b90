"""Scenarios: a case as a dated story, played through the real engine and the real sweep (SCENARIOS.md)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cases.directory import Directory, version_of
from cases.keystore import KeyStore
from cases.office import Office
from cases.scenario.cast import Cast, assemble
from cases.scenario.fault import ScenarioFaults
from cases.scenario.papers import MemoryShelf
from cases.scenario.report import Outcome
from cases.scenario.script import Script, read_script
from cases.scenario.stage import Stage
from cases.vault import ALGORITHMS, MasterKey
from policies.book import Book, load, versions
from policies.faults import Fault, one_of
from policies.vocabulary import Words

if TYPE_CHECKING:
    from cases.store import Store

__all__ = ["Outcome", "ScenarioFaults", "Script", "play", "policy_of", "read_script", "staged"]


def play(scenario: Path | Script, store: Store, *, policy: Book | None = None) -> Outcome:
    """Play a scenario in a fresh database of its own beside `store`, which is dropped afterwards.

    `policy` stands in for the version that the file names. Nothing of what `store` holds is read or touched,
    and the keys are thrown away with the play. Raises ScenarioFaults for a faulty file, PolicyFaults for a
    faulty policy, StoreFault; an expectation that doesn't hold stands in the outcome.
    """
    begun = time.perf_counter()
    script = read_script(scenario) if isinstance(scenario, Path) else scenario
    book = policy or policy_of(script)
    outcome = Outcome(script.file, script.title, book.version)
    with store.scratch() as fresh:
        office, cast = staged(fresh, book, script)
        Stage(fresh, office, cast, script, outcome).play()
    outcome.seconds = round(time.perf_counter() - begun, 3)
    return outcome


def policy_of(script: Script) -> Book:
    """The policy version that a scenario names. Raises ScenarioFaults where the library has none of it."""
    known = versions()
    if script.policy not in known:
        why = Words(f"没有政策版本“{script.policy}”", f'there is no policy version "{script.policy}"')
        raise ScenarioFaults([Fault(script.file, script.policy_line, "policy", why, one_of(known, script.policy))])
    return load(script.policy)


def staged(fresh: Store, book: Book, script: Script) -> tuple[Office, Cast]:
    """The cast, and the engine room over it. The key store's tables lie in the same database: it ends with
    the play.
    """
    master = MasterKey(os.urandom(32))
    keystore = KeyStore(fresh, master, next(one for one in ALGORITHMS if one == book.algorithm))
    keystore.prepare()
    with fresh.begin() as connection:
        cast = assemble(connection, script)
        version = version_of(connection)
    directory = Directory(version, book.tz)
    books = {book.version: book}
    return Office(directory, keystore, master, book.version, books.__getitem__, shelf=MemoryShelf()), cast
