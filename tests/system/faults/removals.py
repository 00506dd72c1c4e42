"""``python -m tests.system.faults.removals``: take one guarantee out of a copy of the tree; a named test must notice.

A test that cannot fail proves nothing. Each `Removal` says what is taken out, where, and which test fails then; the
copy is thrown away, and nothing here changes the tree. Without a number all are tried; the exit code is 0 when each
was noticed.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.system.office import ROOT


@dataclass(frozen=True)
class Removal:
    """What is taken out of a file (each text stands there once, and is replaced), and who notices."""

    what: str
    file: str
    changes: tuple[tuple[str, str], ...]
    noticed_by: str

    def taken_from(self, text: str) -> str:
        """The file without it; fails when the file has changed so much that this says nothing any more."""
        for old, new in self.changes:
            assert text.count(old) == 1, f"{self.file} no longer has this once, look at it again: {old!r}"
            text = text.replace(old, new)
        return text


OUTPUTS = "await self._send([*outputs, *(output for judged in verdicts for output in judged.outputs(chunk))], lease)"
STATE = "await self._send([*memories, *(memory for judged in verdicts for memory in judged.memories(chunk))], lease)"
CARRIED = "            fate = await self._boundaries[chunk.topic].carry(chunk, tenure.lease)\n"
CRASHES = "tests/faults/test_crashes.py"

REMOVALS = (
    Removal(
        "the acknowledgement of the outputs before the state",
        "agents/judge.py",
        ((OUTPUTS, "lease.check()"), (STATE, f"{STATE}\n        {OUTPUTS}")),
        f"{CRASHES}::test_the_alert_of_a_chunk_broken_off_anywhere_is_told_under_one_id_and_stands_open",
    ),
    Removal(
        "the state",
        "agents/judge.py",
        ((STATE, "lease.check()"),),
        f"{CRASHES}::test_any_script_of_faults_ends_as_a_calm_day",
    ),
    Removal(
        "the state before the offset",
        "agents/app.py",
        ((CARRIED, f"            event.ack()\n{CARRIED}"),),
        "tests/system/test_transport.py::test_a_bug_ends_the_process_with_its_traceback_and_the_record_stays",
    ),
    Removal(
        "the re-emission of repeats",
        "agents/judge.py",
        (
            (
                "                dossier.history = add(dossier.history, event)\n",
                "                known, dossier.history = dossier.history, add(dossier.history, event)\n",
            ),
            (
                "                brought.setdefault(event.dossier_code, []).append(Arrived(event, taken))\n",
                (
                    "                if dossier.history is not known:\n"
                    "                    brought.setdefault(event.dossier_code, []).append(Arrived(event, taken))\n"
                ),
            ),
        ),
        f"{CRASHES}::test_an_event_that_is_known_sends_its_answer_and_its_state_again",
    ),
    Removal(
        "the id of an alert",
        "schemas/alert.py",
        (("import UUID, uuid5", "import UUID, uuid4, uuid5"), ("uuid5(_SPACE, ", "uuid5(uuid4(), ")),
        f"{CRASHES}::test_the_alert_of_a_chunk_broken_off_anywhere_is_told_under_one_id_and_stands_open",
    ),
    Removal(
        "the version of a row",
        "agents/rows.py",
        (("    return version.events << 96 |", "    return 0 and version.events << 96 |"),),
        "tests/agents/test_archive.py::test_versions_rise_with_events_then_rules_then_instants",
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults.removals", description=__doc__)
    parser.add_argument("number", type=int, nargs="?", help=f"one of them, from 1 to {len(REMOVALS)}")
    asked = parser.parse_args().number
    chosen = REMOVALS if asked is None else REMOVALS[asked - 1 : asked]
    unnoticed = [removal for removal in chosen if not _noticed(removal)]
    return int(bool(unnoticed))


def _noticed(removal: Removal) -> bool:
    with tempfile.TemporaryDirectory(prefix="removal-") as name:
        tree = Path(name)
        _copy(tree)
        file = tree / removal.file
        file.write_text(removal.taken_from(file.read_text(encoding="utf-8")), encoding="utf-8")
        test = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", removal.noticed_by]
        done = subprocess.run(
            ["env", f"PYTHONPATH={tree}", *test],
            cwd=tree,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    failed = [line for line in done.stdout.decode().splitlines() if line.startswith(("FAILED", "ERROR"))]
    noticed = done.returncode == 1 and any(line.startswith("FAILED") for line in failed)
    print(f"{'noticed' if noticed else 'NOT NOTICED'}: without {removal.what}: {' '.join(failed)[:300]}", flush=True)
    return noticed


def _copy(tree: Path) -> None:
    """The tracked files, and the environment that is not."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
    for name in tracked.rstrip("\0").split("\0"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    for untracked in (".venv", ".local"):
        (tree / untracked).symlink_to((ROOT / untracked).resolve())


if __name__ == "__main__":
    sys.exit(main())
