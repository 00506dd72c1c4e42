"""What was known at an instant: events by their arrival, alerts by their version, sayings by their time."""

from agents.explain import explain
from agents.explain_json import as_json
from agents.explain_text import text
from agents.recall import Recalled, Said, recall
from schemas.assessment import Level, Version
from schemas.dossier import digest, dump
from schemas.event import Event
from schemas.limits import Limit
from schemas.standing import Standing
from tests.agents.test_archive import an_alert
from tests.hanoi import at, event, history, rules

OFFICE = rules(limit=Limit("working_day", 5))
STARTED = event(2, "2026-03-02T09:00", event_id="start")
PAUSED = event(5, "2026-03-03T10:00", event_id="pause")
CODE = STARTED.dossier_code
THEN = at("2026-03-10T08:00")


def key(one: Event) -> tuple[str, str]:
    return one.event_id, digest(dump(one))


ARRIVALS = {key(STARTED): at("2026-03-02T09:01"), key(PAUSED): at("2026-03-10T09:00")}
SAID = (
    Said(Standing(1, "in_time", Level.NONE, at("2026-03-09T17:00")), at("2026-03-02T09:01"), 1),
    Said(Standing(1, "overdue", Level.OVERDUE, at("2026-03-09T17:00")), at("2026-03-10T00:00:00.250"), 7),
    Said(Standing(1, "in_time", Level.NONE, None), at("2026-03-10T09:00"), 1),
)


def recalled() -> Recalled:
    told = an_alert(version=Version(1, 1, at("2026-03-10T00:00")))
    resolved = an_alert(sequence=2, version=Version(2, 1, at("2026-03-10T00:00")))
    return recall(CODE, (STARTED, PAUSED), ARRIVALS, (told, resolved), SAID, at=THEN)


def test_an_event_was_known_once_it_had_arrived() -> None:
    then = recalled()
    assert (then.history, then.later, then.undated) == (history(STARTED), 1, 0)
    assert [alert.sequence for alert in then.alerts] == [1]
    assert then.said == SAID[1:2]


def test_an_event_of_which_nobody_kept_the_arrival_is_known_since_it_happened() -> None:
    then = recall(CODE, (STARTED, PAUSED), {}, (), (), at=at("2026-03-02T10:00"))
    assert (then.history, then.later, then.undated) == (history(STARTED), 1, 1)


def test_the_explanation_says_what_had_been_said_and_by_which_rules() -> None:
    then = recalled()
    told = explain(then.history, OFFICE, {}, sent=then.alerts, recalled=then, now=THEN)
    words = list(text(told))
    assert words[1] == "Theo những gì đã biết lúc T3 10/03/2026 08:00:00: 1 sự kiện đến sau."
    assert words[2].startswith("Lần giải quyết 1 đã được kết luận: quá hạn")
    assert words[2].endswith("(ghi nhận lúc T3 10/03/2026 00:00:00).")
    assert words[3] == f"  Kết luận ấy theo quy định phiên bản 7, ở đây là phiên bản {OFFICE.version}."
    answer = as_json(told)["as_known_at"]
    assert isinstance(answer, dict)
    assert (answer["later_arrivals"], answer["said"][0]["verdict"]) == (1, "overdue")


def test_a_cycle_that_was_known_not_to_exist_is_called_so() -> None:
    said = (Said(Standing(2, None, None, None), at("2026-03-02T09:30"), 1),)
    then = recall(CODE, (STARTED,), {}, (), said, at=THEN)
    words = list(text(explain(then.history, OFFICE, {}, recalled=then, now=THEN)))
    assert "1 sự kiện không rõ lúc đến: coi như đã biết từ khi xảy ra." in words
    assert "Lần giải quyết 2 đã được kết luận: không có (ghi nhận lúc T2 02/03/2026 09:30:00)." in words
