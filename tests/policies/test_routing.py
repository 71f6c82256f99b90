"""Whom a concern calls, which of two levels is graver, and what a law reserves."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.book import Book, load
from policies.routing import UnknownConcern, graver, lawful, route
from policies.vocabulary import KINDS, LAWFUL, LEVELS

# DOMAIN.md, "What each concern calls up": lead, support, opens.
CALLS: Final = {
    "family_failure": ("street", ("womens_federation",), ("guidance",)),
    "harmful_home": ("street", ("police", "womens_federation"), ()),
    "duty_refused": ("street", ("womens_federation", "police"), ("guidance",)),
    "left_behind": ("street", ("civil_affairs",), ()),
    "migrant": ("street", ("civil_affairs",), ()),
    "internet_addiction": ("street", ("youth_league",), ("guidance",)),
    "mental_illness": ("street", (), ("referral",)),
    "bullying": ("education_bureau", ("police",), ()),
    "school_safety": ("police", ("street",), ()),
    "dropout": ("street", ("education_bureau",), ()),
}


@pytest.fixture(scope="module")
def book() -> Book:
    return load("nanjing-2026.1")


def test_the_policy_has_every_concern_of_the_domain_and_no_other(book: Book) -> None:
    assert set(book.concerns) == set(CALLS)


@pytest.mark.parametrize("concern", CALLS)
def test_a_concern_calls_whom_the_domain_names(book: Book, concern: str) -> None:
    found = route(book, concern)
    assert (found.lead, found.support, found.opens) == CALLS[concern]


@pytest.mark.parametrize("concern", CALLS)
def test_there_is_one_lead_and_nobody_is_called_twice(book: Book, concern: str) -> None:
    calls = list(route(book, concern).calls())
    assert [part for _, part in calls] == ["lead"] + ["support"] * (len(calls) - 1)
    assert len({kind for kind, _ in calls}) == len(calls)


def test_an_unknown_concern_says_which_was_probably_meant(book: Book) -> None:
    with pytest.raises(UnknownConcern) as refused:
        route(book, "bulying")
    assert "did you mean bullying" in refused.value.right.en
    assert "是否想写 bullying" in refused.value.right.zh_CN


@given(one=st.sampled_from(LEVELS), other=st.sampled_from(LEVELS))
def test_the_graver_level_is_the_one_nearer_to_red(one: str, other: str) -> None:
    book = load("nanjing-2026.1")
    assert graver(book, one, other) == LEVELS[min(LEVELS.index(one), LEVELS.index(other))]


@pytest.mark.parametrize("trigger", LAWFUL)
def test_what_a_law_reserves_is_refused_to_all_others_with_the_article(book: Book, trigger: str) -> None:
    for kind in KINDS:
        article = lawful(book, trigger, kind)
        assert (article is None) == (kind in LAWFUL[trigger])
        if article is not None:
            assert "第" in article[0]
            assert "art." in article[1]


def test_no_school_may_apply_for_a_protection_order(book: Book) -> None:
    assert lawful(book, "protection.apply", "school") == (
        "《反家庭暴力法》第二十三条",
        "Anti-Domestic-Violence Law, art. 23",
    )


def test_a_trigger_that_no_law_reserves_is_lawful_for_all(book: Book) -> None:
    assert all(lawful(book, "guidance.criticise", kind) is None for kind in KINDS)
