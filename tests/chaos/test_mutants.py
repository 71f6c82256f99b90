"""The planted bugs can still be planted; the long run (`make mutants`) shows that each is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.chaos import mutants
from tests.chaos.mutant import Mutant
from tests.chaos.mutants import MUTANTS, ROOT


def test_every_bug_can_still_be_planted_where_it_was() -> None:
    assert mutants.absent() == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.what)
def test_the_test_that_has_to_notice_is_there(mutant: Mutant) -> None:
    place, _, name = mutant.noticed_by.partition("::")
    assert (f"def {name}(" if name else "def test_") in (ROOT / place).read_text()


@pytest.mark.long
def test_a_bug_that_nobody_notices_is_told() -> None:
    unseen = Mutant("nothing changes", "policies/ladder.py", "BREACH", "BREACH", "tests/lints/test_rules.py")
    assert mutants.caught(unseen)[0] is False


def test_planting_leaves_the_work_tree_alone(tmp_path: Path) -> None:
    tree = mutants.copied(tmp_path)
    (tree / "cases/lanes.py").write_text("")
    assert (ROOT / "cases/lanes.py").read_text()
    shutil.rmtree(tree / "cases")
    assert (ROOT / "cases").is_dir()
