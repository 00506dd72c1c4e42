"""YAML as an office writes it, read so that every fault has its line.

The words are those of YAML 1.2: only ``true`` and ``false`` are booleans (``off`` is a key of ours),
and dates and times of day stay text (YAML 1.1 reads 08:00 as a number to base sixty). What can
surprise a reader is refused: a key twice, anchors, tags.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson
import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from agents.yamlkeys import keys_at
from schemas.errors import ConfigError

T = TypeVar("T")
Where = Sequence[str | int]  #: the way from the top of a file to a value: keys and places in lists

_DEEPEST = 20
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}")
_NULL = frozenset({"", "~", "null"})
_SCALARS = frozenset({"tag:yaml.org,2002:str", "!"})


class _Composer(yaml.SafeLoader):
    """PyYAML up to its nodes: every scalar is text, and knows whether it stood in quotes."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own shape)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not understood here; write the value out",
                problem_mark=event.start_mark,
            )
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its plain value, and where each part of it stands."""

    path: str
    root: yaml.Node
    plain: object

    def line(self, where: Where = ()) -> int:
        """The line of the value that lies there, or of the nearest thing around it."""
        return _line(_descend(self.root, where)[-1].shown)


def read_file(path: Path) -> Document:
    """The YAML file at ``path``; raises `ConfigError` with file and line when it is none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigError("config_unreadable", f"cannot be read: {reason}", path=str(path)) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError("config_unreadable", "is not UTF-8; save it as UTF-8", path=str(path), line=line) from None
    return read_text(text, str(path))


def read_text(text: str, path: str) -> Document:
    """The YAML in ``text``, which stood at ``path``; raises `ConfigError` with file and line."""
    try:
        root = yaml.compose(text, Loader=_Composer)
        if root is None:
            raise ConfigError("config_syntax", "the file is empty", path=path, line=1)
        return Document(path, root, _plain(root, path))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part) or "is not YAML"
        raise ConfigError("config_syntax", message, path=path, line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        at = getattr(error, "position", 0)
        line = text[:at].count("\n") + 1
        raise ConfigError("config_syntax", "a character that YAML forbids", path=path, line=line) from None


def _plain(node: yaml.Node, path: str, depth: int = 0) -> Any:
    """The node's value in the terms of JSON."""
    if depth > _DEEPEST:
        raise ConfigError("config_syntax", "lists within lists without end", path=path, line=_line(node))
    match node:
        case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
            return _mapping(node, path, depth)
        case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
            return [_plain(part, path, depth + 1) for part in node.value]
        case yaml.ScalarNode() if node.tag in _SCALARS:
            return _scalar(node)
        case _:
            raise ConfigError(
                "config_syntax", f"the tag {node.tag} is not understood here", path=path, line=_line(node)
            )


def _mapping(node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError("config_syntax", "a key must be a word", path=path, line=_line(key))
        if key.value in plain:
            message = f'"{key.value}" stands twice here; keep one'
            raise ConfigError("config_key_twice", message, path=path, line=_line(key))
        plain[key.value] = _plain(value, path, depth + 1)
    return plain


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    if node.style is not None:  # in quotes, or a block
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in _NULL:
        return None
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Step(NamedTuple):
    """One step on the way into a file: where a reader would look, and the value there."""

    shown: yaml.Node
    value: yaml.Node


def _descend(root: yaml.Node, where: Where) -> list[_Step]:
    """The way to a value; a part that the file has not (the arm of a union) is passed over."""
    way = [_Step(root, root)]
    for part in where:
        node = way[-1].value
        if isinstance(node, yaml.MappingNode):
            way += [_Step(key, value) for key, value in node.value if key.value == part]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            way.append(_Step(node.value[part], node.value[part]))
    return way


def fit(document: Document, model: type[T]) -> T:
    """The file as the model; raises the first of `faults`."""
    value, wrong = fit_all(document, model)
    if value is None:
        raise wrong[0]
    return value


def fit_all(document: Document, model: type[T]) -> tuple[T | None, tuple[ConfigError, ...]]:
    """The file as the model, or everything that is wrong with it, in the order of its lines."""
    try:
        return TypeAdapter(model).validate_json(orjson.dumps(document.plain)), ()
    except ValidationError as error:
        found: dict[tuple[int, str], list[str]] = {}
        for detail in error.errors(include_url=False):
            line, name, message = _fault(document, model, detail)
            messages = found.setdefault((line, name), [])
            if message not in messages:
                messages.append(message)
    return None, tuple(
        ConfigError("config_invalid", f"{name}{', or '.join(messages)}", path=document.path, line=line)
        for (line, name), messages in sorted(found.items(), key=lambda fault: fault[0][0])
    )


def _fault(document: Document, model: type[Any], detail: ErrorDetails) -> tuple[int, str, str]:
    """Line, prefix and words for one complaint of pydantic's."""
    kind, where = detail["type"], detail["loc"]
    if kind == "missing":
        return document.line(where), f'"{where[-1]}" ', "is missing here"
    if kind == "unexpected_keyword_argument":
        known = ", ".join(keys_at(model, where[:-1]))
        return document.line(where), f'"{where[-1]}" ', f"is no key here; write one of: {known}"
    step = _descend(document.root, where)[-1]
    keys = {part.shown.value for part in _descend(document.root, where) if part.shown is not part.value}
    name = next((f"{part}: " for part in reversed(where) if part in keys), "")
    if kind == "string_type" and isinstance(step.value, yaml.ScalarNode) and step.value.value:
        return _line(step.shown), name, f'must be text; put it in quotes, as "{step.value.value}"'
    if kind in _WORDS or isinstance(step.value, yaml.ScalarNode):
        return _line(step.shown), name, _say(model, detail)
    return _line(_meant(step.value, detail["msg"]) or step.shown), name, _say(model, detail)


#: What to write instead, by pydantic's name of the fault.
_WORDS = {
    "string_type": "must be text",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "bool_type": "write true or false",
    "tuple_type": "must be a list, as [...]",
    "date_type": "must be a date, as 2026-01-31",
    "date_parsing": "must be a date, as 2026-01-31",
    "date_from_datetime_parsing": "must be a date, as 2026-01-31",
    "date_from_datetime_inexact": "must be a date, as 2026-01-31",
    "dict_type": "must have keys, as name: value",
}


def _say(model: type[Any], detail: ErrorDetails) -> str:
    """What is wrong and what to write instead."""
    match detail["type"]:
        case "dataclass_type":
            return f"must have keys: {', '.join(keys_at(model, detail['loc']))}"
        case "literal_error":
            return f"write {detail['ctx']['expected']}".replace("True", "true")
        case kind:
            return _WORDS.get(kind) or detail["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _meant(node: yaml.Node, message: str) -> yaml.Node | None:
    """What a message about the whole is about: the first thing that it names.

    Where that stands several times, it is the one with the most other things named beside it (two
    shifts that overlap), else the last (a day that stands twice).
    """
    words = re.sub(r"\(.*?\)", "", message)
    named = {
        part.value: found.start()
        for part in _parts(node)
        if isinstance(part, yaml.ScalarNode) and (found := _mention(part.value, words))
    }
    if not named:
        return None
    first = min(named, key=lambda text: (not any(map(str.isdigit, text)), named[text]))
    best, most = node, 0
    for part in _parts(node):
        beside = [inner for inner in _children(part) if isinstance(inner, yaml.ScalarNode)]
        count = len({inner.value for inner in beside} & set(named))
        found_here = [inner for inner in beside if inner.value == first]
        if found_here and count >= most:
            best, most = found_here[-1], count
    return best


def _mention(text: str, words: str) -> re.Match[str] | None:
    return re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", words) if len(text) > 1 else None


def _children(node: yaml.Node) -> list[yaml.Node]:
    """What stands directly in a node, its keys included."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    """The node and everything in it, outer before inner."""
    yield node
    for child in _children(node):
        yield from _parts(child)
