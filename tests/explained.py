"""Dossiers to explain: one that was paused, transferred, extended, late and reopened, and the office that judges it."""

from datetime import datetime
from html.parser import HTMLParser

from agents.config import check
from agents.explain import Explanation, explain, read_decrees
from streams.history import History
from tests.commands import ROOT
from tests.hanoi import at, event, history

NOW = at("2026-03-12T14:00")
#: Received after closing; appointed on the first pause; extended twice; reopened, and paused again as of NOW.
EVERYTHING = history(
    event(1, "2026-02-11T16:00", channel="online"),
    event(2, "2026-02-11T17:30", channel="online", stage="Tiếp nhận"),
    event(4, "2026-02-12T15:00", stage="Thẩm định", processing_unit="H26.03"),
    event(5, "2026-02-13T10:00", processing_unit="H26.03", due="2026-02-27T00:00"),
    event(4, "2026-02-23T11:00:30.5", processing_unit="H26.03"),
    event(None, "2026-02-26T09:00", kind="extension", due="2026-03-06T00:00"),
    event(None, "2026-02-27T09:00", kind="extension", due="2026-03-09T00:00"),
    event(4, "2026-03-03T09:00", processing_unit="H26.12", stage="Trình ký"),
    event(9, "2026-03-09T09:00"),
    event(10, "2026-03-09T15:00"),
    event(4, "2026-03-10T09:00", processing_unit="H26.03", stage="Thẩm định", due="2026-03-17T16:00"),
    event(5, "2026-03-11T09:00", processing_unit="H26.03"),
)


def explained(known: History, now: datetime = NOW, config: str = "config") -> Explanation:
    """The explanation under a configuration of the tree."""
    folder, faults = check(ROOT / config)
    assert folder is not None, faults
    return explain(known, folder.rules, read_decrees(folder.calendars), now=now)


class Page(HTMLParser):
    """What stands in a page: the figures of each cell of each table and each line of each list, shown and exact."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}  # rows of cells as they read, by id
        self.exact: dict[str, list[list[str]]] = {}  # the exact figures of each row or line, by id
        self.figures: list[tuple[str, str, str]] = []  # every one: tag, exact value, as it reads
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._place = ""
        self._in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.tags.append((tag, named))
        self._open.append(tag)
        if tag in ("table", "ul") and named.get("id"):
            self._place = str(named["id"])
            self.tables[self._place], self.exact[self._place] = [], []
        elif tag in ("tr", "li") and self._place:
            self.tables[self._place].append([""] if tag == "li" else [])
            self.exact[self._place].append([])
            self._in_cell = tag == "li"
        elif tag in ("td", "th") and self._place:
            self.tables[self._place][-1].append("")
            self._in_cell = True
        elif tag in ("time", "data"):
            value = str(named.get("datetime") or named.get("value"))
            self.figures.append((tag, value, ""))
            if self._place:
                self.exact[self._place][-1].append(value)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag in ("td", "th", "li"):
            self._in_cell = False
        elif tag in ("table", "ul"):
            self._place = ""

    def handle_data(self, data: str) -> None:
        if self._place and self._in_cell:
            self.tables[self._place][-1][-1] += data
        if self._open and self._open[-1] in ("time", "data"):
            tag, value, shown = self.figures[-1]
            self.figures[-1] = (tag, value, shown + data)
