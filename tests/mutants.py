"""Compares the mutants that no test noticed with those that docs/mutants.md explains; the end of `make mutants`.

A mutant is named by its module, its function and what stands there instead, so it keeps its name when lines move. The
page has each in a block of code; one that is missing there, or that is there and was noticed, ends the run with 1.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "mutants.md"
NOT_LOADED = "check was interrupted by user"  # so mutmut calls it when pytest could not load a test
NOTICED = {"killed", "timeout", NOT_LOADED}  # an endless loop is noticed by the time it takes

_RESULT = re.compile(r"\s*(?P<id>streams\.(?P<module>\w+)\.x(?:ǁ(?P<owner>\w+)ǁ|_)(?P<function>\w+)__mutmut_\d+): (.+)")
_EXPLAINED = re.compile(r"^\w+ [\w.]+: .+$", re.MULTILINE)
_BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def explained(page: str) -> set[str]:
    """The mutants that the page explains.

    >>> explained(chr(10).join(["Why.", "```", "limits add_months: return day", "```", ""]))
    {'limits add_months: return day'}
    """
    return {line for block in _BLOCK.findall(page) for line in _EXPLAINED.findall(block)}


def results() -> Iterator[tuple[str, str, str, str]]:
    """Every mutant of the last run: its id, its module, its function, and what became of it."""
    for line in _mutmut("results", "--all", "true").splitlines():
        found = _RESULT.fullmatch(line)
        if found is not None:
            owner = f"{found['owner']}." if found["owner"] else ""
            yield found["id"], found["module"], owner + found["function"], found[5]


def changed(diff: str) -> str:
    """What stands there instead.

    >>> changed(chr(10).join(["--- a", "+++ b", " if a:", "-    return b", "+    return None"]))
    'return None'
    """
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    new = [line[1:].strip() for line in lines if line[0] == "+"]
    return " ".join(new) if new else " ".join(["without", *(line[1:].strip() for line in lines)])


def _mutmut(*words: str) -> str:
    return subprocess.run(["mutmut", *words], check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Say how many mutants there were, and which of them need a test, an explanation, or none any more."""
    survived: set[str] = set()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for mutant, module, function, status in results():
        counts[module]["not loaded" if status == NOT_LOADED else status] += 1
        if status not in NOTICED:
            survived.add(f"{module} {function}: {changed(_mutmut('show', mutant))}")
    for module, of_module in sorted(counts.items()):
        print(f"{module}: {of_module.total()} mutants,", ", ".join(f"{n} {status}" for status, n in of_module.items()))
    known = explained(PAGE.read_text(encoding="utf-8"))
    for mutant in sorted(survived - known):
        print(f"not noticed by any test, and not explained in docs/mutants.md: {mutant}")
    for mutant in sorted(known - survived):
        print(f"explained in docs/mutants.md, but noticed or gone: {mutant}")
    return int(survived != known or not counts)


if __name__ == "__main__":
    sys.exit(main())
