"""The contract's tables, written out by hand: what the declarations are held against, row by row.

Nothing here is read from `cases.tracks`. A row: trigger | from > to | by | fields. `-` opens the track, `=`
stays, `time` and `follows` are pulled by nobody. `*` is every state that isn't an end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

STATES = {
    "case": "draft awaiting_signoff open awaiting_evaluation closed! withdrawn! merged!",
    "assignment": "summoned acknowledged on_scene fed_back disputed done! reassigned! cancelled!",
    "extension": "requested granted! refused! lapsed!",
    "mandatory_report": "due filed answered! not_required!",
    "referral": "proposed requested accepted scheduled in_treatment completed! no_show consent_refused"
    " admission_refused declined cancelled!",
    "return_to_school": "assessing planned tracking stable! deferred appealed relapsed!",
    "leave": "on_leave ended!",
    "check_in": "planned open complete missed cancelled!",
    "guidance": "offered engaged completed! evading criticised referred_to_police admonished ordered"
    " complied! defied custody_review!",
    "protection": "applied issued rejected! expired! breached!",
    "conference": "called scheduled held minuted! cancelled!",
    "action_item": "assigned done! dropped!",
    "supervision": "issued answered accepted! interviewed lapsed!",
    "access": "open expired reviewed!",
}

# fmt: off
ROWS = {
    "case": """
submit | draft > awaiting_signoff, open | counselor, mentor, principal@school | concern, level, summary, student, statutory?, evidence?
whistle | draft > open | counselor, principal@school; coordinator@jurisdiction | concern, level, summary, student, statutory?, evidence?, school?
sign_off | awaiting_signoff, open > open | principal@school | note?
send_back | awaiting_signoff > draft | principal@school | reason
regrade | open = | coordinator, supervisor@jurisdiction | level, reason
summon | open = | coordinator@jurisdiction; counselor, principal@school | organisation, part, reason
record_safe_plan | open = | officer, lead@assignee; counselor@school | plan
record_screening | open = | counselor@school | scale, version, items, day
record_interview | open = | counselor@school | result
settle | open > awaiting_evaluation | follows |
evaluate | awaiting_evaluation = | counselor, mentor@school; coordinator@jurisdiction | scores, family_satisfied?
close | awaiting_evaluation > closed | principal@school; coordinator@jurisdiction | outcome, summary
reopen | closed > open | counselor, principal@school; supervisor@jurisdiction | reason
withdraw | draft, awaiting_signoff, open > withdrawn | counselor, principal@school | reason
merge | open > merged | coordinator@jurisdiction | into, reason
""",  # noqa: E501
    "assignment": """
acknowledge | summoned > acknowledged | officer, lead, codirector@assignee |
report_in | summoned, acknowledged > on_scene | officer, lead@assignee | at, where, mode, people, note?
undo_acknowledge | acknowledged > summoned | officer, lead, codirector@assignee |
remind | summoned, acknowledged, on_scene = | coordinator, supervisor@jurisdiction | note?
record_progress | acknowledged, on_scene = | officer, lead@assignee | note, evidence?
give_feedback | on_scene > fed_back | officer, lead@assignee | measures, outcome, next_steps?
accept_feedback | fed_back > done | counselor, principal@school |
send_back | fed_back > on_scene | counselor, principal@school | reason
settle_dispute | fed_back > done, on_scene | coordinator@jurisdiction | reason
decline | summoned > disputed | lead@assignee | reason, proposed
uphold | disputed > summoned | coordinator@jurisdiction | reason
reassign | disputed, summoned, acknowledged > reassigned | coordinator@jurisdiction | to, reason
rework | done > on_scene | follows |
cancel | *, done > cancelled | follows |
""",
    "extension": """
request | - > requested | officer, lead@assignee | about, reason, extra
grant | requested > granted | coordinator@jurisdiction | note?
refuse | requested > refused | coordinator@jurisdiction | note?
""",
    "mandatory_report": """
raise | - > due | counselor, principal, mentor, deputy@school; officer, lead, codirector@assignee; officer@community; liaison@hospital; coordinator, supervisor@jurisdiction | statutory, facts
file | due > filed | counselor, principal, mentor@school; liaison@hospital; officer, lead@assignee | to, at, channel, receipt?
register | filed > filed, answered | principal@school; lead@assignee | authority, at
record_answer | filed > filed, answered | officer@police; principal@school | accepted, at, note?
find_not_required | due > not_required | principal@school; supervisor@jurisdiction | reason, statutory
""",  # noqa: E501
    "referral": """
propose | - > proposed | counselor@school | hospital?, reason, screening?, purpose?
give_consent | proposed, consent_refused > requested | counselor@school | guardian, signed_at, form
refuse_consent | proposed > consent_refused | counselor@school | reason
override_for_safety | proposed, consent_refused > requested | principal@school | legal_basis, danger
review_override | * = | supervisor@jurisdiction | proper, note?
accept | requested > accepted | liaison@hospital |
decline | requested > declined | liaison@hospital | reason, proposed?
redirect | declined > requested | counselor@school; coordinator@jurisdiction | hospital
schedule | accepted, scheduled, no_show > scheduled | liaison@hospital | at, where
record_no_show | scheduled > no_show | liaison@hospital |
record_visit | accepted, scheduled, no_show > in_treatment | liaison@hospital | seen_at, mode
update_treatment | in_treatment = | liaison@hospital | status, next_visit?, advice_for_school?, clinical_note?
refuse_admission | accepted, scheduled, in_treatment > admission_refused | liaison@hospital | signed_refusal, watch_plan
resume | admission_refused > in_treatment | liaison@hospital |
complete | in_treatment, admission_refused > completed | liaison@hospital | summary, opinion, conditions?
request_cancellation | proposed, consent_refused, requested, accepted, scheduled, no_show, declined = | counselor@school | reason
confirm_cancellation | accepted, scheduled, no_show, declined > cancelled | liaison@hospital; coordinator@jurisdiction |
remind | * = | coordinator, supervisor@jurisdiction | note?
""",  # noqa: E501
    "return_to_school": """
apply | - > assessing | counselor@school | application
hospital_sign | assessing > assessing, planned | liaison@hospital | opinion, conditions?
school_sign | assessing > assessing, planned | principal@school | assessment, plan
defer | assessing > deferred | principal@school; liaison@hospital | reason, review_on
resume | deferred > assessing | principal@school; liaison@hospital |
appeal | assessing, deferred > appealed | counselor@school; officer@community | grounds
rule | appealed > assessing, planned | supervisor@jurisdiction | ruling, reason
record_return | planned > tracking | counselor@school | day
relapse | tracking > relapsed | counselor@school; liaison@hospital | signs
declare_stable | tracking > stable | counselor@school; liaison@hospital |
remind | * = | coordinator, supervisor@jurisdiction | note?
""",
    "leave": """
begin | - > on_leave | counselor@school | from_day, grounds, certificate?
record_contact | on_leave = | counselor, mentor, deputy@school; liaison@hospital; officer@community | day, how, study?, recovery?, note?
end | on_leave > ended | counselor@school | reason
""",  # noqa: E501
    "check_in": """
open | planned > open | time |
file_school | open, missed > open, missed, complete | counselor, mentor@school; officer@community | attendance, mood, sleep, peers, risk, note?
file_hospital | open, missed > open, missed, complete | liaison@hospital | attended_review?, adherence, risk, advice?, clinical_note?
miss | open > missed | time |
record_interview | open, missed, complete = | counselor@school; liaison@hospital | result
""",  # noqa: E501
    "guidance": """
offer | - > offered | counselor@school; officer@community | programme
engage | offered, evading, criticised, referred_to_police, admonished > engaged | officer, lead@assignee; officer@community; counselor@school |
record_session | engaged = | officer, lead@assignee; officer@community; counselor@school | day, hours, note?
complete | engaged > completed | officer, lead@assignee; officer@community; counselor@school |
record_evasion | offered, engaged > evading | counselor@school; officer@community; officer@assignee | facts
criticise | evading > criticised | officer@community; officer@womens_federation; principal@school | facts
refer_to_police | criticised, evading > referred_to_police | officer@community; principal@school | facts
admonish | referred_to_police > admonished | officer@police; officer@procuratorate; officer@court | number
order | referred_to_police, admonished > ordered | officer@court | number, term, duties
supervise_guardian | criticised, referred_to_police, admonished, ordered = | officer@procuratorate | number, term
warn_of_violence | * = | officer@police | number
record_check | * = | officer@community; officer@police | day, note
record_compliance | ordered > complied | officer@court; officer@community; officer@womens_federation | facts?
record_defiance | ordered > defied | officer@court; officer@community; officer@womens_federation | facts?
propose_custody_review | defied > custody_review | principal, counselor@school; liaison@hospital; officer, lead@community; officer, lead@womens_federation; officer, lead@civil_affairs; officer, lead@disabled_federation | grounds
""",  # noqa: E501
    "protection": """
apply | - > applied | officer@police; officer@womens_federation; officer@community | grounds, urgent?
issue | applied > issued | officer@court | number, until
reject | applied > rejected | officer@court | reason
record_breach | issued > breached | officer@police; officer@community | facts
expire | issued > expired | time |
""",
    "conference": """
call | - > called | coordinator, supervisor@jurisdiction; principal@school; lead@assignee | topic, invited
schedule | called > scheduled | coordinator, supervisor@jurisdiction; principal@school; lead@assignee | at, where
hold | scheduled > held | coordinator, supervisor@jurisdiction; principal@school; lead@assignee | present
minute | held > minuted | coordinator, supervisor@jurisdiction; principal@school; lead@assignee | minutes, items
cancel | called, scheduled > cancelled | coordinator, supervisor@jurisdiction; principal@school; lead@assignee | reason
""",
    "action_item": """
finish | assigned > done | officer, lead@assignee | result
drop | assigned > dropped | the caller | reason
""",
    "supervision": """
issue | - > issued | supervisor@jurisdiction | about, demand
answer | issued > answered | lead@assignee | answer, new_date?
accept | answered, interviewed > accepted | supervisor@jurisdiction | note?
reject | answered > issued | supervisor@jurisdiction | note?
interview | issued > interviewed | supervisor@jurisdiction | note?
""",
    "access": """
open | - > open | officer, lead, liaison, coordinator, supervisor@anywhere | reason
expire | open > expired | time |
review | expired > reviewed | supervisor@jurisdiction | proper, note?
""",
}
# fmt: on

CLOCKS = {
    "case": {
        "sign_off": "principal@school",
        "safe_plan": "officer@street, counselor@school",
        "settle": "principal@school, coordinator@district",
        "evaluation": "counselor@school",
        "interview": "counselor@school",
    },
    "assignment": {
        "acknowledge": "officer@assignee, lead@assignee",
        "report_in": "officer@assignee, lead@assignee",
        "feedback": "officer@assignee, lead@assignee",
        "ruling": "coordinator@district",
    },
    "extension": {"extension_ruling": "coordinator@district"},
    "mandatory_report": {"call_police": "…", "register": "principal@school", "police_answer": "…"},
    "referral": {
        "consent": "counselor@school",
        "hospital_answer": "liaison@hospital",
        "first_contact": "liaison@hospital",
        "safety_review": "supervisor@district",
    },
    "return_to_school": {
        "assess": "principal@school, liaison@hospital",
        "review": "principal@school, liaison@hospital",
        "ruling": "supervisor@district",
    },
    "leave": {"contact": "counselor@school"},
    "check_in": {"check_in": "…", "interview": "counselor@school"},
    "guidance": {},
    "protection": {"court_answer": "officer@assignee, lead@assignee"},
    "conference": {},
    "action_item": {"action": "officer@assignee, lead@assignee"},
    "supervision": {"supervision_answer": "lead@assignee"},
    "access": {"access_review": "…"},
}
"""Who owes each clock; `…` where it depends on the track (whoever raised it, the sides still missing)."""

RESERVED = {
    ("guidance", "admonish"): {"police", "procuratorate", "court"},
    ("guidance", "order"): {"court"},
    ("guidance", "supervise_guardian"): {"procuratorate"},
    ("guidance", "warn_of_violence"): {"police"},
    ("protection", "apply"): {"police", "womens_federation", "community"},
}
"""The kinds of organisation to which a law reserves a trigger: anyone else is refused `unlawful`."""

OWN_CODES = {
    ("assignment", "give_feedback"): dict.fromkeys(("summoned", "acknowledged", "disputed"), "needs_report_in"),
}
"""Rows that name a code of their own for the wrong state."""

ADDED = {
    "case": {
        "save_draft": "`submit` comes with or without a saved draft, so a draft can be saved",
        "return_for_rework": "how the case returns to `open` when `evaluate` sends an assignment back",
    },
    "extension": {"lapse": "its assignment ended"},
    "referral": {"cancel": "follows withdraw and merge, and a request before any hospital accepted"},
    "return_to_school": {"cancel": "follows withdraw and merge"},
    "leave": {"cancel": "follows withdraw and merge"},
    "check_in": {"cancel": "follows relapse, declare_stable, withdraw and merge"},
    "guidance": {"cancel": "follows withdraw and merge"},
    "protection": {"cancel": "follows withdraw and merge"},
    "action_item": {"cancel": "follows withdraw and merge"},
    "supervision": {
        "lapse": "its assignment was reassigned or cancelled",
    },
}
"""Moves that the contract implies without a row of their own."""

PULLED_BY_PEOPLE = {("case", "save_draft"): ("draft", "counselor, mentor, principal@school; coordinator@jurisdiction")}
"""The one added move that somebody pulls."""

ADDED_STATES = dict.fromkeys(("return_to_school", "leave", "guidance", "protection"), "cancelled!")
"""Withdrawing and merging cancel every track: these kinds need an end for it."""

_DEPUTY = "deputy@school"
WIDENED = {
    # Whatever a counselor may do on screening, referral and check-ins, the deputy may.
    ("case", "record_screening"): _DEPUTY,
    ("case", "record_interview"): _DEPUTY,
    ("referral", "propose"): _DEPUTY,
    ("referral", "give_consent"): _DEPUTY,
    ("referral", "refuse_consent"): _DEPUTY,
    ("referral", "redirect"): _DEPUTY,
    ("referral", "request_cancellation"): _DEPUTY,
    ("check_in", "file_school"): _DEPUTY,
    ("check_in", "record_interview"): _DEPUTY,
    # The lead of a school is its principal, of a hospital its liaison; an item may be anybody's.
    ("supervision", "answer"): "principal, liaison@assignee",
    ("action_item", "finish"): "principal, counselor, liaison, coordinator@assignee",
}
"""Roles that may pull a row by another sentence of the contract than the row itself."""

MORE_SOURCES = {
    ("case", "sign_off"): (
        "awaiting_evaluation",
        "a sign-off owed after the fact is owed when all is settled too",
    ),
    ("case", "record_interview"): (
        "awaiting_evaluation",
        "an interview that is owed doesn't end with the work",
    ),
    ("conference", "schedule"): (
        "scheduled",
        "a meeting that can't take place as planned is scheduled again",
    ),
    ("conference", "cancel"): (
        "held",
        "for withdraw and merge; people are refused by a guard, `wrong_state`",
    ),
}
"""States beyond the row's own, each with its reason."""

_EVERY = ("draft", "awaiting_signoff", "open", "awaiting_evaluation", "closed", "withdrawn", "merged")
CASE_STATES: dict[str, tuple[str, ...]] = {
    "assignment": ("open",),
    "extension": ("open",),
    "referral": ("open",),
    "return_to_school": ("open",),
    "leave": ("open",),
    "check_in": ("open",),
    "guidance": ("open",),
    "protection": ("open",),
    "conference": ("open",),
    # Nothing may block a mandatory report; break-glass is for any case.
    "mandatory_report": _EVERY,
    "access": _EVERY,
    # Neither holds a case open, so both must be able to end after it has settled.
    "supervision": ("open", "awaiting_evaluation", "closed"),
    "action_item": ("open", "awaiting_evaluation", "closed"),
}
"""The states of the case in which people may move a track of each kind."""

MORE_CASE_STATES = {
    ("referral", "review_override"): ("open", "awaiting_evaluation"),
    ("check_in", "record_interview"): ("open", "awaiting_evaluation"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the contract. `source` None opens the track; `by` None is pulled by nobody."""

    kind: str
    trigger: str
    source: tuple[str, ...] | None
    targets: tuple[str, ...]
    by: tuple[str, ...] | None
    required: tuple[str, ...]
    optional: tuple[str, ...]


@cache
def states(kind: str) -> tuple[str, ...]:
    """Every state of a kind, those that were added among them."""
    return tuple(name.rstrip("!") for name in _all_states(kind))


@cache
def ends(kind: str) -> frozenset[str]:
    """The states in which a kind of track has ended."""
    return frozenset(name.rstrip("!") for name in _all_states(kind) if name.endswith("!"))


def _all_states(kind: str) -> list[str]:
    return [*STATES[kind].split(), *ADDED_STATES.get(kind, "").split()]


@cache
def who(text: str) -> tuple[str, ...]:
    """`"counselor, principal@school; officer@court"` as `role@relation`, one each."""
    found = []
    for group in text.split(";"):
        roles, _, relation = group.strip().partition("@")
        found += [f"{role.strip()}@{relation}" for role in roles.split(",")]
    return tuple(found)


@cache
def rows(kind: str) -> dict[str, Row]:
    """The rows of one kind by their triggers."""
    found = {}
    for line in ROWS[kind].strip().splitlines():
        trigger, way, by, form = (part.strip() for part in line.split("|"))
        before, _, after = way.replace(" =", " > ").partition(">")
        names = [name.strip() for name in before.split(",")]
        if "*" in names:
            names = [*(one for one in states(kind) if one not in ends(kind)), *names[1:]]
        given = [name.strip() for name in form.split(",") if name.strip()]
        found[trigger] = Row(
            kind,
            trigger,
            None if names == ["-"] else tuple(names),
            tuple(name.strip() for name in after.split(",") if name.strip()),
            None if by in {"time", "follows"} else who(by),
            tuple(name for name in given if not name.endswith("?")),
            tuple(name.rstrip("?") for name in given if name.endswith("?")),
        )
    return found
