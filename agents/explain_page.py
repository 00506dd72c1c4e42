"""Explain as one HTML page: nothing to load, nothing to run, fit to be printed as the annex of a letter.

Every figure stands in a ``<time>`` or ``<data>`` element with its exact value beside what is shown.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from agents import messages
from agents.explain import Explanation, Reasons
from agents.explain_alerts import alert_sheets
from agents.explain_sheets import Sheet, conclusion, sheets, unit_text
from agents.explain_text import left_out
from agents.explain_timeline import timeline
from agents.explain_words import Figure, Phrase
from agents.messages import instant_text
from streams.ledger import seconds
from streams.rules import Rules

_STYLE = """\
@page { size: A4; margin: 13mm 12mm 14mm }
* { box-sizing: border-box }
body { font: 14px/1.45 "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif; color: #1b1b1b;
  max-width: 1060px; margin: 0 auto; padding: 20px }
header { border-bottom: 2px solid #1b1b1b; margin-bottom: 14px; padding-bottom: 8px }
h1 { font-size: 22px; margin: 0 } h1 span { font-weight: 400 }
h2 { font-size: 17px; margin: 26px 0 6px; padding-top: 8px; border-top: 1px solid #888; break-after: avoid }
h3 { font-size: 14px; margin: 16px 0 4px; break-after: avoid }
header p, section p { margin: 3px 0 }
figure { margin: 0 } figcaption { font-weight: 600; margin-bottom: 4px }
table { border-collapse: collapse; width: 100%; font-size: 12.5px }
th, td { border: 1px solid #bbb; padding: 3px 6px; text-align: left; vertical-align: top }
thead th { background: #eee } tbody tr, svg.week { break-inside: avoid } tfoot td { font-weight: 600 }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
time { white-space: nowrap; font-variant-numeric: tabular-nums }
table.facts { width: auto; border: 0 } table.facts th { border: 0; background: none; font-weight: 400; color: #444 }
table.facts td { border: 0; font-weight: 600 }
.verdict { display: inline-block; border: 1.5px solid #1b1b1b; border-radius: 3px; padding: 0 8px; font-weight: 600 }
.verdict.overdue { background: #1b1b1b; color: #fff; print-color-adjust: exact; -webkit-print-color-adjust: exact }
.lines { margin: 4px 0 0; padding-left: 18px } footer { margin-top: 24px; border-top: 1px solid #888; color: #444;
  font-size: 12px }
svg.week { display: block; width: 100%; height: auto; margin-bottom: 3px }
svg text { font-size: 9.5px; font-family: inherit } text.day { fill: #222 }
text.fold { text-anchor: middle; fill: #444 } text.hour { text-anchor: middle; font-size: 7.5px; fill: #555 }
line.day { stroke: #777; stroke-width: .8 } rect.frame { fill: none; stroke: #555 }
rect.closed { fill: url(#off) } rect.open { fill: #fff } rect.run { fill: #2f5f9e }
rect.stand { fill: url(#pause); stroke: #9a6a00; stroke-width: .8 } rect.late { fill: url(#late); stroke: #a30000 }
rect.thread.run { fill: #8eaad0 } rect.thread.stand { stroke: none } rect.framed { stroke: #555 }
line.due { stroke: #000; stroke-width: 2.6 } line.past-due { stroke: #000; stroke-width: 1.2; stroke-dasharray: 3 2 }
line.breach { stroke: #a30000; stroke-width: 2.2; stroke-dasharray: 7 2 }
line.now { stroke: #000; stroke-width: 1.4; stroke-dasharray: 1 2 }
text.due { font-weight: 700 }
text.due, text.past-due, text.breach { paint-order: stroke; stroke: #fff; stroke-width: 3px }
path.tick { fill: none; stroke: #000 } rect.tick { fill: #fff; stroke: #000 }
text.tick { text-anchor: middle; font-size: 8.4px; font-weight: 600 } text.holder { fill: #222 }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 0; padding: 0;
  font-size: 12px }
svg.swatch { width: 26px; height: 12px; margin-right: 5px; vertical-align: -1px }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt }
  table { font-size: 8.5pt } .lines { font-size: 9.5pt }
  h1 { font-size: 15pt } h2 { font-size: 12.5pt } h3 { font-size: 10.5pt } .legend, footer { font-size: 8.5pt } }
"""


def page(explanation: Explanation) -> Iterator[str]:
    """The lines of the page."""
    rules = explanation.rules
    code, now = escape(explanation.dossier_code), _figure(Figure(explanation.now), rules.zone)
    title = f"Hồ sơ {explanation.dossier_code}, xét đến {instant_text(explanation.now, rules.zone)}"
    yield '<!DOCTYPE html>\n<html lang="vi">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>"
    yield f"<header>\n<h1>Diễn giải hồ sơ <span>{code}</span></h1>"
    yield f"<p>Xét đến {now} ({escape(rules.zone.key)})</p>"
    yield from (f"<p>{escape(line)}</p>" for line in left_out(explanation))
    if not explanation.cycles:
        yield "<p>Chưa có sự kiện nào về trạng thái.</p>"
    yield from (_summary(reasons, rules) for reasons in explanation.cycles)
    yield "</header>"
    drawn = "\n".join(timeline(explanation))
    if drawn:
        yield f'<figure id="timeline">\n<figcaption>Dòng thời gian, mỗi hàng một tuần</figcaption>\n{drawn}\n</figure>'
    for reasons in explanation.cycles:
        yield from _cycle(reasons, rules)
    if explanation.cycles:
        told = [line for sheet in alert_sheets(explanation) for line in _sheet(sheet, "all", rules.zone)]
        yield "<section>\n" + "\n".join(told) + "\n</section>"
    yield f"<footer>Đúng Hạn · cấu hình bản {rules.version} · mã hồ sơ là chìa khoá tra cứu của công dân.</footer>"
    yield "</body>\n</html>"


def _summary(reasons: Reasons, rules: Rules) -> str:
    cycle = reasons.cycle
    due = cycle.due_current
    zone = rules.zone_of(cycle.unit)
    when = f" · hạn {_figure(Figure(due), zone)}" if due is not None else ""
    official = messages.VERDICTS_766[cycle.verdict_766]
    return (
        f'<p>Lần {cycle.cycle}: <span class="verdict {cycle.verdict}">{escape(conclusion(cycle))}</span>{when}'
        f" · {escape(unit_text(cycle.unit, rules))} · theo QĐ 766: {escape(official)}</p>"
    )


def _cycle(reasons: Reasons, rules: Rules) -> Iterator[str]:
    cycle = reasons.cycle
    zone = rules.zone_of(cycle.unit)
    words = f"Lần giải quyết {cycle.cycle}: {messages.STATUSES[cycle.status]} · {conclusion(cycle)}"
    yield f'<section id="cycle-{cycle.cycle}">\n<h2>{escape(words)}</h2>'
    for sheet in sheets(reasons, rules):
        yield from _sheet(sheet, str(cycle.cycle), zone)
    yield "</section>"


def _sheet(sheet: Sheet, cycle: str, zone: ZoneInfo) -> Iterator[str]:
    if sheet.title:
        yield f"<h3>{escape(sheet.title)}</h3>"
    if sheet.rows:
        yield from _table(sheet, cycle, zone)
    if sheet.lines:
        lines = "".join(f"<li>{_words(line, zone)}</li>" for line in sheet.lines)
        yield f'<ul class="lines" id="{sheet.name}-lines-{cycle}">{lines}</ul>'


def _table(sheet: Sheet, cycle: str, zone: ZoneInfo) -> Iterator[str]:
    edge = len(sheet.header) - sheet.figures if sheet.figures else len(sheet.header)
    yield f'<table class="{sheet.name}" id="{sheet.name}-{cycle}">'
    if sheet.header:
        head = _line([escape(cell) for cell in sheet.header], edge, 'th scope="col"')
        yield f"<thead>{head}</thead>"
    yield "<tbody>"
    for row in sheet.rows:
        cells = [_words(cell, zone) for cell in row]
        yield _line(cells, edge) if sheet.header else f'<tr><th scope="row">{cells[0]}</th><td>{cells[1]}</td></tr>'
    yield "</tbody>"
    if sheet.total is not None:
        yield f"<tfoot>{_line([_words(cell, zone) for cell in sheet.total], edge)}</tfoot>"
    yield "</table>"


def _line(cells: Sequence[str], edge: int, tag: str = "td") -> str:
    """A row; the cells from ``edge`` on are figures, to the right."""
    marks = (' class="figure"' if number >= edge else "" for number in range(len(cells)))
    end = tag.partition(" ")[0]
    return "<tr>" + "".join(f"<{tag}{mark}>{cell}</{end}>" for mark, cell in zip(marks, cells, strict=True)) + "</tr>"


def _words(words: Phrase, zone: ZoneInfo) -> str:
    return "".join(escape(part) if isinstance(part, str) else _figure(part, zone) for part in words)


def _figure(figure: Figure, zone: ZoneInfo) -> str:
    """A figure as it reads, with its exact value for machines."""
    shown, value = escape(figure.text(zone)), figure.value
    if isinstance(value, timedelta):
        return f'<data value="{seconds(value):.15g}">{shown}</data>'
    exact = value.astimezone(zone) if isinstance(value, datetime) else value
    return f'<time datetime="{exact.isoformat()}">{shown}</time>'
