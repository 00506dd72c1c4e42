"""The command of the shadow says what it is of, and does not call an absent service a difference."""

from tests.commands import dunghan


def test_only_judge_has_a_shadow() -> None:
    done = dunghan("worker", "archive", "--shadow")
    assert (done.code, done.out) == (2, "")
    assert "--shadow is of judge" in done.err


def test_where_a_service_does_not_answer_nobody_knows_whether_there_is_a_difference() -> None:
    done = dunghan("worker", "judge", "--shadow", settings={"DUNGHAN_CLICKHOUSE_PORT": "1"})
    assert (done.code, done.out) == (69, "")
    assert "[clickhouse_unavailable]" in done.err
