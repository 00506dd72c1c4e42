"""The topics, as data."""

from schemas import topics
from schemas.dossier import Memory, digest
from schemas.event import canonical
from tests.hanoi import event


def test_the_truth_is_kept_for_ever_and_names_are_unique() -> None:
    assert topics.EVENTS.config()["retention.ms"] == "-1"
    assert topics.STATE.config()["cleanup.policy"] == "compact"
    assert topics.LOOKS.config()["cleanup.policy"] == "delete"
    assert len({topic.name for topic in topics.ALL}) == len(topics.ALL)


def test_two_contents_under_one_event_id_have_two_memories() -> None:
    one, other = event(2, "2026-03-02T09:00", event_id="e"), event(4, "2026-03-02T09:00", event_id="e")
    assert Memory("d", event=one).key() != Memory("d", event=other).key()
    assert digest(canonical(one)).encode() in Memory("d", event=one).key()
    assert Memory("d", cycle=2).key() == b"d\x1fcycle\x1f2"
