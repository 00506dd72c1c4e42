"""The clock step by step: who holds the dossier, what counts, which cycle a step belongs to, which pairs are known."""

from schemas.event import Event
from streams.clock import Course, State, Step, walk
from streams.history import timeline
from streams.policy import Subject
from tests.hanoi import at, event, history

#: The pairs of consecutive statuses that the procedure knows, as the page writes them.
_PAIRS = "1→2,3,5,7 · 2→4,5,6,7,8,9,10 · 4→4,5,6,7,8,9,10 · 5→2,4,6,7,8 · 6→2,4,5,7,8,9 · 8→2,4 · 9→10,4 · 10→4"
KNOWN = {
    (int(first), int(second))
    for pair in _PAIRS.split(" · ")
    for first, _, seconds in [pair.partition("→")]
    for second in seconds.split(",")
}
FEES_RUN = frozenset({"1.004441"})


def walked(*events: Event, runs_on: frozenset[str] = frozenset()) -> tuple[Course, ...]:
    return walk(timeline(history(*events), now=at("2026-04-30T09:00")), runs_on)


def statuses(*numbers: int) -> tuple[Course, ...]:
    return walked(*(event(number, f"2026-03-{day:02}T09:00") for day, number in enumerate(numbers, 2)))


def test_exactly_the_pairs_of_the_page_are_known() -> None:
    pairs = {(first, second) for first in range(1, 11) for second in range(1, 11)}
    assert {pair for pair in pairs if not statuses(*pair)[-1].illegal} == KNOWN


def test_a_pair_that_is_not_known_stays_flagged_and_the_first_status_has_none_before_it() -> None:
    assert [course.illegal for course in statuses(2, 1, 2, 4)] == [True]
    assert [course.illegal for course in statuses(4)] == [False]


def test_every_step_of_two_cycles_whole() -> None:
    registered = event(1, "2026-03-01T09:00", processing_unit="A", receiving_unit="R", channel="online", stage="intake")
    asked = event(5, "2026-03-01T10:00", processing_unit="X", stage="ignored", case="ignored")
    start = event(2, "2026-03-02T09:00", processing_unit="B", case="hard")
    letter = event(None, "2026-03-03T09:00", kind="letter", letter="apology")
    evidence = event(3, "2026-03-04T09:00", processing_unit="X", stage="ignored")
    end = event(9, "2026-03-05T09:00", processing_unit="C", stage="done")
    returned = event(10, "2026-03-06T09:00", processing_unit="X")
    reopened = event(4, "2026-03-09T09:00", processing_unit="D", case="easy", procedure_code="1.004442")
    fresh, running, stopped = State.NOT_STARTED, State.RUNNING, State.STOPPED
    first = Course(
        number=1,
        state=stopped,
        imputed=False,
        illegal=True,
        status=10,
        subject=Subject("1.004441", "hard", "online", "B", "R"),
        registered=[
            Step(registered, fresh, fresh, False, None, "intake"),
            Step(asked, fresh, fresh, False, None, "intake"),
        ],
        steps=[
            Step(start, fresh, running, True, "B", "intake"),
            Step(letter, running, running, False, "B", "intake"),
            Step(evidence, running, running, False, "B", "intake"),
            Step(end, running, stopped, True, "C", "done"),
            Step(returned, stopped, stopped, False, "C", "done"),
        ],
    )
    second = Course(
        number=2,
        state=running,
        imputed=False,
        illegal=False,
        status=4,
        subject=Subject("1.004442", "easy", "online", "D", "R"),
        registered=[],
        steps=[Step(reopened, stopped, running, True, "D", "done")],
    )
    events = (registered, asked, start, letter, evidence, end, returned, reopened)
    assert walked(*events) == (first, second)
    assert [(course.started, course.lettered) for course in walked(*events)] == [(True, True), (True, False)]


def test_a_start_that_nobody_saw_is_imputed_and_a_reopening_is_not() -> None:
    imputed = {number: [course.imputed for course in statuses(number)] for number in (2, 3, 4, 7, 8, 9, 10)}
    assert imputed == {2: [False], 3: [False], 4: [True], 7: [False], 8: [True], 9: [True], 10: [True]}
    assert [course.imputed for course in statuses(2, 9, 4)] == [False, False]
    assert [course.imputed for course in statuses(4, 9, 4)] == [True, False]


def test_a_fee_runs_where_the_procedure_says_so_and_only_while_there_is_a_clock() -> None:
    def states(*events: Event) -> list[State]:
        return [step.after for course in walked(*events, runs_on=FEES_RUN) for step in course.steps]

    start, fee = event(2, "2026-03-02T09:00"), event(6, "2026-03-03T09:00")
    assert states(start, fee) == [State.RUNNING, State.RUNNING]
    other = event(6, "2026-03-03T09:00", procedure_code="1.004442")
    assert states(start, other) == [State.RUNNING, State.PAUSED], "as the event says"
    (course,) = walked(start, event(9, "2026-03-02T10:00"), fee, runs_on=FEES_RUN)
    assert (course.state, course.steps[-1].counts) == (State.STOPPED, False)
    (never,) = walked(fee, runs_on=FEES_RUN)
    assert (never.state, never.status, never.started, never.steps) == (State.NOT_STARTED, 6, False, [])


def test_a_clock_that_never_ran_was_not_started() -> None:
    assert [[course.started for course in statuses(*numbers)] for numbers in ((1,), (3,), (7,), (2, 7), (8,))] == [
        [False],
        [False],
        [False],
        [True],
        [True],
    ]


def test_what_no_event_has_said_is_not_known() -> None:
    start = event(2, "2026-03-02T09:00")
    (course,) = walked(start)
    assert course.subject == Subject("1.004441", None, None, "H26.12", None)
    assert course.steps == [Step(start, State.NOT_STARTED, State.RUNNING, True, "H26.12", None)]
