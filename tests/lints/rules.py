"""No commit outside the store, no state assigned outside the engine, no track that knows its neighbours.

Read from the syntax, not from the text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "cases", "notifiers", "policies", "workflows")

COMMITTER = Path("cases/store.py")
MOVER = Path("cases/engine.py")
TRACKS = Path("cases/tracks")
PARTS = {
    Path("cases/tracks/case.py"): {"cases.opening", "cases.closing"},
    Path("cases/closing.py"): {"cases.opening"},
    Path("cases/opening.py"): set[str](),
}
"""What a track is too long for stands beside it, is its alone, and keeps to the same rule."""


@dataclass(frozen=True, slots=True, order=True)
class Offence:
    """One line that breaks a rule, and the sentence that says which."""

    path: Path
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


NO_COMMIT = "only cases/store.py commits: let the door's `with store.begin()` end instead"
NO_NEIGHBOUR = "a track knows cases.track alone: let its desk hand over what it needs"
NO_STATE = "only cases/engine.py assigns a state: pull a trigger instead"


def offences_in(source: str, path: Path) -> list[Offence]:
    """What a module breaks; `path` is relative to the project and decides who is allowed what."""
    tree = ast.parse(source)
    found: list[Offence] = []
    if path != COMMITTER:
        found += [Offence(path, line, NO_COMMIT) for line in _commits(tree)]
    if path != MOVER:
        found += [Offence(path, line, NO_STATE) for line in _assigned_states(tree)]
    if path.parent == TRACKS or path in PARTS:
        known = {"cases.track", *PARTS.get(path, ())}
        found += [Offence(path, line, NO_NEIGHBOUR) for line in _neighbours(tree, known)]
    return sorted(set(found))


def offences(root: Path = ROOT) -> list[Offence]:
    """What the installed packages break, migrations included."""
    modules = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
    return [
        offence for path in modules for offence in offences_in(path.read_text(encoding="utf-8"), path.relative_to(root))
    ]


def _commits(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "autocommit"}:
            yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "autocommit":
            # A connection that commits by itself commits all the same.
            yield node.value.lineno
        elif (isinstance(node, ast.Constant) and node.value == "AUTOCOMMIT") or (
            isinstance(node, ast.Call) and _says_commit(node)
        ):
            yield node.lineno


def _says_commit(call: ast.Call) -> bool:
    if not (isinstance(call.func, ast.Name) and call.func.id in {"text", "getattr"} and call.args):
        return isinstance(call.func, ast.Attribute) and call.func.attr == "execute" and _is_commit(call.args[:1])
    return any(_is_commit([argument]) for argument in call.args)


def _is_commit(arguments: list[ast.expr]) -> bool:
    return any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.strip(" ;").lower() == "commit"
        for each in arguments
    )


def _neighbours(tree: ast.AST, known: set[str]) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(level=0, module=str() as module):
                names = [module]
            case ast.ImportFrom():
                names = ["cases.tracks"]
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case _:
                continue
        if any(name not in known and name.split(".")[0] in PACKAGES for name in names):
            yield node.lineno


def _assigned_states(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets):
                yield from (line for target in targets for line in _state_targets(target))
            case ast.AugAssign(target=target) | ast.For(target=target):
                yield from _state_targets(target)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield from _state_targets(target)
            case ast.withitem(optional_vars=ast.expr() as target):
                yield from _state_targets(target)
            case ast.Call():
                yield from _state_by_call(node)


def _state_targets(target: ast.expr) -> Iterator[int]:
    match target:
        case ast.Attribute(attr="state"):
            yield target.lineno
        case ast.Subscript(slice=ast.Constant(value="state")):
            yield target.lineno
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            yield from (line for part in parts for line in _state_targets(part))
        case ast.Starred(value=part):
            yield from _state_targets(part)


def _state_by_call(call: ast.Call) -> Iterator[int]:
    match call:
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="state"), _]):
            yield call.lineno
        case ast.Call(func=ast.Attribute(attr="__setattr__"), args=[*_, ast.Constant(value="state"), _]):
            yield call.lineno
        case ast.Call(func=ast.Name(id="replace") | ast.Attribute(attr="replace"), keywords=keywords):
            yield from (call.lineno for keyword in keywords if keyword.arg == "state")
