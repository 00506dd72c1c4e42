"""The demonstration, as a developer sees it first: it works, it says the truth, and it leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.commands import ROOT, bare_environment
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

#: What is promised; set-up is not in it.
WITHIN = 180.0


class Demo:
    """One demonstration; everything it starts carries its mark in its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = f"DEMO_TEST={uuid4()}"
        name, _, value = self._mark.partition("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agents", "demo"],
            cwd=ROOT,
            env={**bare_environment(), name: value, "TMPDIR": str(folder), "DUNGHAN_PARTITIONS": "7"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def left(self) -> list[str]:
        """The commands of the processes that live and carry the mark."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                if self._mark.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
        return found

    def read_until(self, words: str) -> None:
        """Return when it has printed this."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            if words in line:
                return
            said.append(line)
        raise AssertionError(f"it ended without saying {words!r}, but:\n{''.join(said)}")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    started = Demo(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.communicate()


def test_it_shows_the_whole_way_and_leaves_nothing_behind(demo: Demo) -> None:
    began = time.monotonic()
    said, _ = demo.process.communicate(timeout=WITHIN)
    assert demo.process.returncode == 0, said
    assert time.monotonic() - began < WITHIN
    right = re.search(r"✓ ([0-9,]+) of ([0-9,]+) answers as the city knows them", said)
    assert right is not None
    assert int(right[2].replace(",", "")) > 4_000
    assert "✗" not in said
    assert " of no use" in said
    assert "Hồ sơ theo chi nhánh" in said
    branch = re.search(r"^ *Chi nhánh số 7 {2,}(.*)$", said, flags=re.MULTILINE)
    sums = re.search(r"^ Cộng +([0-9.– ]+)$", said, flags=re.MULTILINE)
    assert branch is not None
    assert sums is not None
    assert branch[1].split().count("·") == 5
    *parts, whole = (0 if number == "–" else int(number.replace(".", "")) for number in sums[1].split())
    assert sum(parts) == whole
    assert parts[-1] == int(branch[1].split()[-2])
    assert "Chi nhánh số 7: không rõ; nguồn dữ liệu im lặng, sự kiện cuối cùng lúc" in said
    assert "Hồ sơ đang giải quyết chậm nhất" in said
    assert "  Cộng " in said
    assert "≠" not in said
    told = [said.index(words) for words in ("phát mới, hạn", "kết thúc, đã xử lý xong", "rút lại, có sự kiện đến muộn")]
    assert told == sorted(told)
    assert "dossiers near or past their due time was alerted, and no other" in said
    assert "everything is stopped" in said
    assert demo.left() == []
    assert list(demo.folder.iterdir()) == []


def test_ctrl_c_in_the_middle_leaves_nothing_behind(demo: Demo) -> None:
    demo.read_until("the workers judge and archive are ready")
    demo.process.send_signal(signal.SIGINT)
    demo.process.communicate(timeout=60)
    assert demo.process.returncode == 130
    assert demo.left() == []
    assert list(demo.folder.iterdir()) == []


def test_even_killed_it_leaves_no_process_behind(demo: Demo) -> None:
    demo.read_until("the workers judge and archive are ready")
    demo.process.kill()
    until(lambda: demo.left() == [], "all that it started is gone")
