"""Refusals: one source's rubbish is its own, that of most sources at once is most likely our fault."""

import pytest

from streams.refusals import Outcome, Tally, fault_is_ours, tally


def outcomes(**sent: tuple[int, int]) -> list[Outcome]:
    """Accepted and refused records by source."""
    return [
        Outcome(source, refused) for source, (good, bad) in sent.items() for refused in (*[False] * good, *[True] * bad)
    ]


@pytest.mark.parametrize(
    ("sent", "ours"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"only": (0, 1)}, False, id="the-one-bad-record-of-the-one-source"),
        pytest.param({"only": (0, 500)}, False, id="the-only-source-sends-rubbish"),
        pytest.param({"a": (0, 500), "b": (20, 0)}, False, id="one-of-two"),
        pytest.param({"a": (0, 1), "b": (0, 1)}, False, id="one-bad-record-each"),
        pytest.param({"a": (0, 5), "b": (0, 4)}, False, id="nine-records"),
        pytest.param({"a": (0, 5), "b": (0, 5)}, True, id="ten-records-of-two-sources"),
        pytest.param({"a": (5, 5), "b": (5, 5)}, False, id="half-of-each-is-not-most"),
        pytest.param({"a": (5, 6), "b": (5, 6)}, True, id="more-than-half-of-each"),
        pytest.param({"a": (0, 9), "b": (0, 9), "c": (1, 0), "d": (1, 0)}, False, id="two-of-four"),
        pytest.param({"a": (0, 9), "b": (0, 9), "c": (1, 0)}, True, id="two-of-three"),
        pytest.param({f"ward-{number}": (0, 1) for number in range(10)}, True, id="ten-wards-with-a-record-each"),
    ],
)
def test_whose_fault_it_is(sent: dict[str, tuple[int, int]], ours: bool) -> None:
    assert fault_is_ours(tally(outcomes(**sent))) is ours


def test_a_tally_counts_sources_failing_ones_and_refusals() -> None:
    assert tally(outcomes(a=(0, 2), b=(1, 1), c=(3, 0))) == Tally(sources=3, failing=1, refused=3)
