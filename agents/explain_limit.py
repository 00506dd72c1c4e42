"""Explain the limit: which rule gave it, how its days were counted, and which decrees lie inside."""

from collections.abc import Iterator
from itertools import groupby

from agents import messages
from agents.explain import Day, Reasons
from agents.explain_words import Phrase, joined, phrase
from agents.messages import limit_text
from schemas.limits import Match
from streams.reasons import Origin


def limit_lines(reasons: Reasons) -> Iterator[Phrase]:
    """Which rule gave the limit, and how its days were counted."""
    cycle, counting = reasons.cycle, reasons.counting
    written = limit_text(cycle.limit) if cycle.limit is not None else "không có thời hạn quy định"
    yield phrase("{written}: ", written=written) + _origin(reasons.account.origin)
    if counting is None:
        return
    values = {
        "received": counting.received,
        "receipt_day": counting.receipt_day,
        "reception": counting.reception,
        "last_day": counting.last_day,
        "length": counting.length,
        "due": counting.due,
    }
    yield from (phrase(messages.RULINGS[ruling], **values) for ruling in counting.rulings)
    if counting.counted:
        numbered = (phrase("{n}. {day:short}", n=n, day=day) for n, day in enumerate(counting.counted, start=1))
        yield ("Các ngày được đếm: ", *joined(numbered, " · "))
    yield from special_days(reasons.counting_days)


def _origin(origin: Origin) -> Phrase:
    match origin.source:
        case "carried":
            return ("giữ của lần giải quyết trước.",)
        case "event":
            return ("do hệ thống nguồn gửi kèm hồ sơ.",)
        case "none":
            return ("không có quy tắc nào áp dụng.",)
        case "rule":
            return _rule(origin)


def _rule(origin: Origin) -> Phrase:
    template = "quy tắc {rule} của bản thời hạn {version}, có hiệu lực từ {begins}, áp dụng cho {subject}."
    return phrase(
        template,
        rule=origin.rule,
        version=origin.version,
        begins=origin.in_force_from,
        subject=_matched(origin.match),
    )


def _matched(match: Match | None) -> str:
    if match is None or match == Match():
        return "mọi hồ sơ"
    words = (
        f"thủ tục {match.procedure}" if match.procedure else "",
        f"trường hợp {match.case}" if match.case else "",
        f"nộp {messages.CHANNELS[match.channel]}" if match.channel else "",
        f"đơn vị {match.unit}" if match.unit else "",
    )
    return ", ".join(word for word in words if word)


def special_days(days: tuple[Day, ...]) -> Iterator[Phrase]:
    """The days off and the days made up, with the decree behind each."""
    for name, worked in (("Ngày nghỉ", False), ("Làm bù", True)):
        found = [day for day in days if day.worked is worked]
        for decree, same in groupby(found, key=lambda day: day.decree):
            listed = joined((phrase("{day}", day=day.date) for day in same), ", ")
            yield (f"{name}: ", *listed, f" ({decree})" if decree else "")
