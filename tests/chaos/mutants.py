"""Planted bugs: each changes one place in a copy of the tree, and a named test has to fail there.

Run as `python -m tests.chaos.mutants [word …]` (`make mutants`): the named tests pass in the copy as it is, then
every mutant by itself; a word chooses those whose file or reason holds it. The work tree is never touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.chaos import mutants_signin
from tests.chaos.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("api", "cases", "notifiers", "policies", "workflows", "tests", "pyproject.toml")
AT_ONCE = 2
FAILED = 1
"""How pytest ends when tests ran and some failed; anything else shows nothing."""

WIRE = "tests/notifiers/test_channels.py"
DELIVERY = "tests/cases/test_delivery.py"
CHANNELS = "tests/chaos/test_channels.py"
DATABASE = "tests/chaos/test_database.py"
TIME = "tests/chaos/test_time.py"
KILL = "tests/chaos/test_kill.py"
CATCH_UP = "tests/cases/test_engine_catch_up.py"


MUTANTS = (
    # ------------------------------------------------------------------------------------------- channels
    Mutant("an errcode in a 200 is a success", "notifiers/adapters.py",
           "if answer[name] != 0 or isinstance(answer[name], bool):", "if False:",
           f"{WIRE}::test_an_error_inside_a_200_is_no_success"),
    Mutant("a redirect is a success", "notifiers/adapters.py",
           "if 300 <= answer.status < 400:", "if 300 <= answer.status < 400:\n        return\n    if False:",
           f"{WIRE}::test_a_far_end_that_misbehaves_is_a_failure"),
    Mutant("a 500 is a success", "notifiers/adapters.py",
           "if not 200 <= answer.status < 300:", "if answer.status == 0:",
           f"{WIRE}::test_a_far_end_that_misbehaves_is_a_failure"),
    Mutant("texts are clipped by characters", "notifiers/clipping.py",
           "    whole = text.encode()\n    if len(whole) <= most:", "    whole = text\n    if len(whole) <= most:",
           f"{WIRE}::test_a_long_chinese_text_fits_into_what_the_bot_takes"),
    Mutant("a long text loses its link", "notifiers/clipping.py",
           "    kept, end = lines[:link], lines[link:]", "    kept, end = lines, []",
           f"{WIRE}::test_what_is_too_long_loses_lines_of_its_middle_says_how_many_and_keeps_its_link"),
    Mutant("DingTalk's signature is encoded twice", "notifiers/adapters.py",
           "quote_plus(dingtalk_signature(self.secret, stamp))",
           "quote_plus(quote_plus(dingtalk_signature(self.secret, stamp)))",
           f"{WIRE}::test_each_bot_takes_a_signed_message_with_its_key"),
    Mutant("the SMS gateway's answer isn't read", "notifiers/adapters.py",
           "if not self.gate.succeeded(answer.body):", "if False:",
           f"{WIRE}::test_a_text_message_goes_through_the_gateway_as_its_provider_wants_it"),
    Mutant("a fact in an SMS template is read as a place", "notifiers/gates.py",
           "if isinstance(part, _Fact) or place not in part:", "if place not in part:",
           f"{WIRE}::test_a_fact_in_a_gateways_template_is_never_read_as_a_place"),
    Mutant("an SMS address isn't encoded", "notifiers/gates.py",
           'quote(value, safe="") for name', "value for name",
           f"{WIRE}::test_a_fact_in_a_gateways_template_is_never_read_as_a_place"),
    Mutant("an inner address may be dialled", "notifiers/wire.py",
           "return address.is_global and not address.is_multicast", "return True",
           f"{WIRE}::test_an_address_that_leads_inside_is_refused"),
    Mutant("an inner address hides in an IPv6 one", "notifiers/wire.py",
           "within = address.ipv4_mapped or address.sixtofour", "within = None",
           f"{WIRE}::test_no_spelling_of_an_inner_address_passes"),
    Mutant("a name isn't looked at when it is dialled", "notifiers/wire.py",
           '    if not allowed:\n        raise WireFault("inside")', "    allowed = found",
           f"{WIRE}::test_a_name_that_leads_inside_is_refused_when_it_is_dialled"),
    Mutant("any schema is allowed", "notifiers/channels.py",
           "if schema not in self.gates.allowed:", "if False:",
           f"{WIRE}::test_a_wrong_address_is_told_in_both_languages_without_repeating_it"),
    Mutant("any option is allowed", "notifiers/channels.py",
           "if option in _NEVER or (", "if False and (",
           f"{WIRE}::test_a_wrong_address_is_told_in_both_languages_without_repeating_it"),
    Mutant("a mail server is tried with the first mail", "notifiers/channels.py",
           'raise ChannelFault("mail_gate")', "return",
           f"{WIRE}::test_a_mail_server_that_no_mail_could_be_sent_by_is_told_at_the_start"),
    Mutant("a gateway's headers are read with the first message", "notifiers/gates.py",
           'not _texts(read.get("headers", {}))', 'not isinstance(read.get("headers", {}), dict)',
           f"{WIRE}::test_a_faulty_gateway_setting_is_told"),
    Mutant("an adapter that breaks is tried for ever", "notifiers/channels.py",
           "except Exception as fault:", "except (OSError, ValueError, LookupError) as fault:",
           f"{DELIVERY}::test_an_adapter_that_breaks_is_given_up_as_any_other_that_fails"),
    Mutant("a mail server that isn't set is an incident for each member", "cases/layout.py",
           "if fault.code in NO_GATE:", "if False:",
           f"{DELIVERY}::test_where_no_mail_server_is_set_the_next_channel_is_taken_and_nothing_is_an_incident"),
    Mutant("a far end that drips is waited for", "notifiers/wire.py",
           "    timer.start()\n", "",
           f"{WIRE}::test_a_dripping_far_end_is_cut_off_when_its_time_is_up"),
    Mutant("the lane never closes", "cases/lanes.py",
           "BREAKS_AFTER: Final = 5", "BREAKS_AFTER: Final = 5000",
           f"{DELIVERY}::test_a_lane_closes_after_five_failures_and_is_probed_with_one"),
    Mutant("a wrong address closes the lane", "cases/lanes.py",
           "    if outcome.of_lane:\n", "    if not outcome.sent:\n",
           f"{DELIVERY}::test_one_wrong_address_closes_the_lane_for_nobody"),
    Mutant("a wrong password at the mail server is one address's fault", "notifiers/adapters.py",
           'return "login" if line.trusted else "smtp"', 'return "smtp"',
           f"{WIRE}::test_a_wrong_password_of_the_installations_is_the_lanes_fault_and_an_unknown_recipient_is_not"),
    Mutant("a member's own password closes everybody's lane", "notifiers/adapters.py",
           'return "login" if line.trusted else "smtp"', 'return "login"',
           f"{WIRE}::test_a_wrong_password_of_the_installations_is_the_lanes_fault_and_an_unknown_recipient_is_not"),
    Mutant("a robot that was sent too much makes its lane well", "notifiers/channels.py",
           "if self.of_lane or self.fault in _TOO_MANY:", "if self.of_lane:",
           f"{DELIVERY}::test_a_robot_that_was_sent_too_much_neither_closes_its_lane_nor_opens_it"),
    Mutant("what fails while a lane closes counts again", "cases/lanes.py",
           ', where=open_still\n', "\n",
           f"{CHANNELS}::test_what_fails_while_a_lane_closes_does_not_keep_it_closed_for_longer"),
    Mutant("the waits don't grow", "cases/lanes.py",
           "longer: int = 2 ** (tries - 1)", "longer: int = 1",
           f"{CHANNELS}::test_the_programme_channels"),
    Mutant("seven tries instead of eight", "cases/lanes.py",
           "TRIES: Final = 8", "TRIES: Final = 7",
           f"{CHANNELS}::test_the_programme_channels"),
    Mutant("a dead letter without its incident", "cases/lanes.py",
           '        layout.note(connection, "dead_letter", why, now)\n', "",
           f"{CHANNELS}::test_the_programme_channels"),
    Mutant("no next channel after a dead letter", "cases/lanes.py",
           "(dead or taken.urgent) and _follow", "False and _follow",
           f"{CHANNELS}::test_the_programme_channels"),
    Mutant("a lane has one hand", "cases/crew.py",
           "HANDS: Final = 8", "HANDS: Final = 1",
           f"{CHANNELS}::test_a_slow_lane_that_answers_gets_more_hands_and_one_that_hangs_none"),
    Mutant("a lane that hangs gets more hands", "cases/delivery.py",
           "and (ended[1].sent or ended[1].answered):", "and True:",
           f"{CHANNELS}::test_a_slow_lane_that_answers_gets_more_hands_and_one_that_hangs_none"),
    Mutant("lanes wait for one another", "cases/crew.py",
           "ThreadPoolExecutor(lanes_at_once,", "ThreadPoolExecutor(1,",
           f"{DELIVERY}::test_a_lane_that_hangs_delays_no_other"),
    Mutant("what the night holds is told one by one", "cases/layout.py",
           'if new.level != "red":\n        due', "if False:\n        due",
           f"{DELIVERY}::test_what_the_night_held_is_told_as_one_in_the_morning"),
    Mutant("quiet hours hold red too", "cases/layout.py",
           'if new.level != "red":\n        due', "if True:\n        due",
           f"{DELIVERY}::test_quiet_hours_hold_everything_but_red"),
    Mutant("a further try breaks the quiet hours", "cases/delivery.py",
           "if (until := lanes.rests(claim, wish, now, manner.zone)) is not None:", "if (until := now) < now:",
           f"{DELIVERY}::test_neither_a_further_try_nor_the_next_channel_breaks_the_quiet_hours"),
    Mutant("who rests loses tries to a closed lane", "cases/lanes.py",
           "if wish is not None and (until", "if wish is None and (until",
           f"{DELIVERY}::test_who_rests_loses_no_try_to_a_closed_lane"),
    Mutant("red waits for its turn", "cases/outbox.py",
           'NOTIFIED: Final = "whistle_messages"', 'NOTIFIED: Final = "nobody_listens"',
           f"{CHANNELS}::test_a_red_whistle_is_with_the_duty_officer_within_two_seconds"),
    Mutant("a delivery is given out twice", "cases/lanes.py",
           "free = or_(delivery.c.claimed_until.is_(None), delivery.c.claimed_until <= now)",
           "free = delivery.c.id > 0",
           f"{DELIVERY}::test_several_who_deliver_at_once_send_each_message_once"),
    Mutant("a claim never runs out", "cases/lanes.py",
           "free = or_(delivery.c.claimed_until.is_(None), delivery.c.claimed_until <= now)",
           "free = delivery.c.claimed_until.is_(None)",
           f"{DELIVERY}::test_whoever_dies_after_sending_is_followed_by_one_with_the_same_key"),
    # ------------------------------------------------------------------------------------------- database
    Mutant("a driver's fault isn't told plainly", "cases/store_fault.py",
           "        fault = fault_of(error, where)\n", "        fault = None\n",
           f"{DATABASE}::test_in_any_trouble_a_trigger_is_refused_whole_and_may_be_tried_again"),
    Mutant("a full disk isn't told as such", "cases/store_fault.py",
           "case errors.DiskFull():", "case errors.OutOfMemory():",
           f"{DATABASE}::test_in_any_trouble_a_trigger_is_refused_whole_and_may_be_tried_again"),
    Mutant("nobody is told to try again", "cases/store_fault.py",
           'return self.code in {"busy", "unreachable", "full"}', 'return self.code in {"full"}',
           f"{DATABASE}::test_in_any_trouble_a_trigger_is_refused_whole_and_may_be_tried_again"),
    Mutant("a lock is waited for without end", "cases/store.py",
           '            "lock_timeout": lock_timeout,\n            "statement_timeout": statement_timeout,\n',
           '            "lock_timeout": timedelta(0),\n            "statement_timeout": timedelta(seconds=20),\n',
           f"{DATABASE}::test_in_any_trouble_a_trigger_is_refused_whole_and_may_be_tried_again"),
    Mutant("a case is blamed for the database", "cases/wake.py",
           "        except StoreFault:\n            raise\n        except Exception as fault:",
           "        except Exception as fault:",
           f"{DATABASE}::test_in_any_trouble_a_sweep_writes_nothing_by_halves_and_blames_no_case"),
    # ----------------------------------------------------------------------------------------------- time
    Mutant("a sweep waits for whoever holds a case", "cases/loading.py",
           "FOR UPDATE OF c SKIP LOCKED", "FOR UPDATE OF c",
           f"{DATABASE}::test_in_any_trouble_a_sweep_writes_nothing_by_halves_and_blames_no_case"),
    Mutant("a faulty case stops the sweep", "cases/wake.py",
           "            _set_aside(connection, row, now, fault)\n", "            raise\n",
           f"{TIME}::test_when_all_are_due_at_once_and_sweepers_die_each_falls_once"),
    Mutant("a faulty case is set aside without an incident", "cases/wake.py",
           "    connection.execute(\n        new.on_conflict_do_update(",
           "    str(\n        new.on_conflict_do_update(",
           f"{CATCH_UP}::test_a_faulty_case_is_set_aside_with_an_incident_and_holds_up_no_other"),
    Mutant("a person is told the last and not the highest", "cases/sitting.py",
           "if KIND_RANK[kind] > KIND_RANK[letter.kind]:", "if True:",
           f"{TIME}::test_after_hours_without_a_sweep_each_is_told_once_with_the_highest"),
    Mutant("a person is told of the first rung alone", "cases/sitting.py",
           "        if item not in letter.items:\n            letter.items.append(item)", "        return",
           f"{TIME}::test_after_hours_without_a_sweep_each_is_told_once_with_the_highest"),
    Mutant("a rung that is due is passed over", "cases/wake.py",
           "for done in range(MOST_AT_ONCE):", "for done in range(3):",
           f"{CATCH_UP}"),
    *mutants_signin.MUTANTS,
)  # fmt: skip


def absent(root: Path = ROOT) -> list[str]:
    """The mutants whose text isn't in its file exactly once: the code has moved on, and they show nothing."""
    return [one.what for one in MUTANTS if (root / one.file).read_text(encoding="utf-8").count(one.old) != 1]


def copied(to: Path) -> Path:
    """A copy of what runs."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, to / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to / part)
    return to


def tried(tree: Path, *tests: str) -> tuple[int, str]:
    """Run these tests in that tree: how pytest ended, and its last words."""
    # Without bytecode: a mutant of the same length and second would be taken for what it replaced.
    surroundings = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "WALKS": "4"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-m", "", *tests]
    try:
        ended = subprocess.run(
            command, cwd=tree, env=surroundings, capture_output=True, text=True, check=False, timeout=600
        )
    except subprocess.TimeoutExpired:
        return FAILED, "FAILED: it never ends"
    said = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR")) or " passed" in line]
    return ended.returncode, "; ".join(said) or (ended.stdout + ended.stderr)[-300:]


def caught(mutant: Mutant) -> tuple[bool, str]:
    """Plant one bug in a copy of its own and see whether its test fails."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = copied(Path(folder))
        place = tree / mutant.file
        place.write_text(place.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
        code, said = tried(tree, mutant.noticed_by)
    # A town that can't be built shows nothing: a test has to have run and failed.
    return code == FAILED and "FAILED" in said, said


def main() -> int:
    """Try every mutant that was asked for; 1 if one got away."""
    words = sys.argv[1:]
    wanted = [one for one in MUTANTS if not words or any(word in f"{one.file} {one.what}" for word in words)]
    if gone := absent():
        print("not where they were: " + "; ".join(gone))
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tests = sorted({one.noticed_by for one in wanted})
        tree = copied(Path(folder))
        code, said = tried(tree, *tests)
        if code == FAILED:
            # Some of them look at the clock: on a machine that is busy with other things, once more.
            code, said = tried(tree, *tests)
    print(f"without a mutant: {said}", flush=True)
    if code != 0:
        return 1
    away = 0
    with ThreadPoolExecutor(AT_ONCE) as hands:
        for one, (noticed, said) in zip(wanted, hands.map(caught, wanted), strict=True):
            away += not noticed
            print(f"{'caught' if noticed else 'GOT AWAY'}: {one.what} ({one.file}): {said}", flush=True)
    print(f"{len(wanted) - away} of {len(wanted)} caught in {time.monotonic() - began:.0f} s")
    return 1 if away else 0


if __name__ == "__main__":
    sys.exit(main())
