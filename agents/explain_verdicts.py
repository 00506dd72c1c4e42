"""Explain the verdicts: which instants or dates were compared, for both scores and without the extension."""

from collections.abc import Iterator
from datetime import datetime

from agents import messages
from agents.explain import Reasons
from agents.explain_words import Phrase, phrase
from streams.counting import Official, Scored
from streams.promise import Promise

_BY_DATE = "so theo ngày: quá hạn từ {missed}"
_BY_INSTANT = "so theo giây: quá hạn từ {missed}"


def verdict_lines(reasons: Reasons) -> Iterator[Phrase]:
    """The verdict, the one without extensions, and that of QĐ 766, each with its reason."""
    cycle, term = reasons.cycle, reasons.account.term
    promise = term.current if term is not None else None
    yield ("Theo giờ làm việc: ", messages.VERDICTS[cycle.verdict], ". ", *_why(reasons, promise))
    if term is not None and term.unextended.due != term.current.due:
        words = messages.VERDICTS[cycle.verdict_unextended]
        yield ("Nếu không gia hạn: ", words, ". ", *_why(reasons, term.unextended))
        if reasons.spent.late_unextended:
            yield phrase("Khi đó quá hạn {late:words} ({late}).", late=reasons.spent.late_unextended)
    yield ("Theo QĐ 766: ", messages.VERDICTS_766[cycle.verdict_766], ". ", *_official(reasons.official))


def _why(reasons: Reasons, promise: Promise | None) -> Phrase:
    """What was compared with what."""
    cycle = reasons.cycle
    if promise is None:
        return ("Hồ sơ không được tiếp nhận nên đồng hồ không chạy.",)
    if promise.due is None:
        return ("Không có thời hạn quy định và nguồn không hẹn ngày: không bao giờ tính là đúng hạn.",)
    values: dict[str, object] = {"due": promise.due.at, "missed": promise.due.missed_from}
    by = _BY_INSTANT if cycle.exact else _BY_DATE
    compared = phrase(f"Hạn {{due}}; {by}.", **values)
    return (*_end(reasons, promise), *compared)


def _end(reasons: Reasons, promise: Promise) -> Phrase:
    cycle, term = reasons.cycle, reasons.account.term
    paused = term.paused[0] if term is not None and term.paused is not None else None
    if paused is not None and cycle.verdict != "withdrawn":
        left = promise.left
        if left is None:
            return phrase("Đồng hồ dừng từ {paused}, khi đã quá hạn. ", paused=paused)
        return phrase("Đồng hồ dừng từ {paused}, còn {left}. ", paused=paused, left=left)
    if cycle.ended_at is not None:
        verb = "Công dân rút" if cycle.verdict == "withdrawn" else "Kết thúc"
        return phrase("{verb} {end}. ", verb=verb, end=cycle.ended_at)
    return phrase("Xét đến {now}. ", now=_now(reasons))


def _now(reasons: Reasons) -> datetime:
    return reasons.parts[-1].end


def _official(official: Official | None) -> Phrase:
    if official is None:
        return ("Hồ sơ chưa bắt đầu nên không tính.",)
    words = messages.SCORED[official.why]
    if official.why is Scored.NO_DUE or official.due is None:
        return (f"Lý do: {words}.",)
    if official.why is Scored.SUPPLEMENTS:
        return phrase("Lý do: {requests} lần; {words}.", requests=official.requests, words=words)
    which = "hạn đã gia hạn" if official.extended else "hạn ban đầu"
    return phrase(
        "{end} trừ thời gian chờ bổ sung {supplements} = {counted_to}, {words} ({which}) {due}.",
        end=official.end,
        supplements=official.supplements,
        counted_to=official.counted_to,
        words=words,
        which=which,
        due=official.due,
    )
