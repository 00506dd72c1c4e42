"""Judge and archive killed with SIGKILL between two writes, and started again: the same rows as on a calm day."""

from pathlib import Path

import pytest

from schemas import topics
from tests.system.answers import alerts_called_for
from tests.system.generated import Log, configuration
from tests.system.office import CONSUMED, Office, WorkerProcess
from tests.system.outcome import Outcome

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

#: Where each worker dies, one after the other, and which time it comes there (see `tests.system.dying`).
DEATHS = {
    "judge": (
        *(("intents_begun", 3), ("intents_done", 2), ("outputs_begun", 4), ("outputs_done", 3)),
        *(("state_begun", 3), ("handled", 4)),
    ),
    "archive": (("rows_due", 2), ("rows_begun", 2), ("alerts_begun", 1), ("handled", 3)),
}
INPUT = {"judge": topics.EVENTS.name, "archive": topics.ASSESSMENTS.name}


def _start(office: Office, name: str, *command: str) -> WorkerProcess:
    """The worker with small chunks, so that it dies among many."""
    return office.start(name, *command, chunk_records=25, commit_interval=0.05)


@pytest.mark.parametrize("name", ["judge", "archive"])
def test_a_worker_killed_between_any_two_writes_leaves_the_rows_of_the_calm_run(
    name: str, log: Log, calm: Outcome, tmp_path: Path
) -> None:
    records = log.records()
    count = len(DEATHS[name]) + 1
    first, *parts = (records[n * len(records) // count : (n + 1) * len(records) // count] for n in range(count))
    (other,) = CONSUMED.keys() - {name}
    with Office(tmp_path, configuration(tmp_path / "config")) as office:
        workers = [_start(office, name), _start(office, other)]
        for worker in workers:
            worker.wait_caught_up()
        office.send(first)
        begin = office.wait_for(
            lambda progress: 0 < progress.committed == progress.end,
            name,
            INPUT[name],
            what="the first part is consumed",
        )
        workers[0].kill()
        for (point, times), part in zip(DEATHS[name], parts, strict=True):
            doomed = _start(office, name, "tests.system.dying", name, point, str(times))
            office.send(part)
            assert doomed.wait_gone() == -9
            killed = office.progress(name, INPUT[name])
            assert 0 < begin.committed <= killed.committed < killed.end, point
            doomed.lose_files()
        _start(office, name).wait_caught_up()
        office.wait_done()
        assert office.facts() == calm.facts
        alerts, called_for = office.alerts(), alerts_called_for(log, office.rules, now=calm.now)
        assert called_for <= alerts.keys()
        assert {alert for alert, is_open in alerts.items() if is_open} <= called_for
