"""From the state topic to what a judge knows of a partition: sorted by dossier, parsed only where it must be."""

from collections import defaultdict
from collections.abc import Mapping

from agents.batches import batches
from agents.shard import Shard, Unread, read_stub
from schemas.dossier import Memory, dump
from schemas.errors import Unavailable
from schemas.state import check_format, read_memories
from schemas.stub import covered, covering, names

_BATCH = 10_000  # outlooks parsed at a time
_COVERED = (b"event", b"alert")  # the kinds of records that a stub names


def read_in(records: Mapping[bytes, bytes]) -> Shard:
    """The shard of what the state topic holds, key by key. Raises `Unavailable` (``state_unreadable``)."""
    unread: defaultdict[bytes, Unread] = defaultdict(Unread)
    outlooks: dict[bytes, bytes] = {}
    stubs: dict[bytes, bytes] = {}
    several: defaultdict[bytes, list[bytes]] = defaultdict(list)
    shard = Shard()
    for key, value in records.items():
        check_format(key, value)
        code, _, name = key.partition(b"\x1f")
        kind = name.partition(b"\x1f")[0]
        if kind == b"event":
            unread[code].events.append(value)
        elif kind == b"stub":
            if code in stubs:
                several[code].append(value)
            else:
                stubs[code] = value
        elif kind == b"outlook":
            outlooks[code] = value
        elif kind in (b"alert", b"cycle", b"said"):
            unread[code].rest.append(value)
        else:
            _remember(shard, key, value)
    shard.unread = {code.decode(): found for code, found in unread.items()}
    shard.evicted = {code.decode(): value for code, value in stubs.items()}
    for code, others in several.items():
        _join(shard, code.decode(), others)
    _expect(shard, outlooks)
    _part(shard, records)
    return shard


def _remember(shard: Shard, key: bytes, value: bytes) -> None:
    """Take what is of no dossier; raises `Unavailable` for what is not ours."""
    for memory in read_memories(f"{key!r}", [value]):
        if memory.rerouted is not None:
            shard.rerouted.add(memory.rerouted)
        elif memory.rules is not None:
            shard.review.remember(memory)
        else:
            raise Unavailable("state_unreadable", f"a state record cannot be read: {key!r}")


def _expect(shard: Shard, outlooks: Mapping[bytes, bytes]) -> None:
    for some in batches(outlooks.items(), _BATCH):
        memories = read_memories("an outlook", [value for _, value in some])
        for (name, _), memory in zip(some, memories, strict=True):
            code = name.decode()
            if code in shard.unread:
                shard.unread[code].outlook = memory.outlook
            elif code in shard.evicted:
                shard.covered.setdefault(code, []).append(memory.key())


def _join(shard: Shard, code: str, others: list[bytes]) -> None:
    """One stub for several: what any of them says is true. (An eviction that was broken off leaves the older one.)"""
    stubs = [read_stub(code, value) for value in (shard.evicted[code], *others)]
    together = covering(max(stub.cycle for stub in stubs), frozenset[str]().union(*(covered(stub) for stub in stubs)))
    shard.evicted[code] = dump(Memory(code, stub=together))
    if together in stubs:
        shard.covered[code] = [Memory(code, stub=stub).key() for stub in stubs if stub != together]


def _part(shard: Shard, records: Mapping[bytes, bytes]) -> None:
    """Of dossiers that have a stub and records: which are all here again, and which records the stub covers."""
    both = shard.unread.keys() & shard.evicted.keys()
    keys: dict[str, list[bytes]] = {code: [] for code in both}
    if not both:
        return
    for key in records:
        whose, _, name = key.partition(b"\x1f")
        if (found := keys.get(whose.decode())) is not None and not name.startswith(b"stub"):
            found.append(key)
    for code, mine in keys.items():
        stub = read_stub(code, shard.evicted[code])
        here = names(key for key in mine if key.split(b"\x1f", 2)[1] in _COVERED)
        cycles = [int(key.rpartition(b"\x1f")[2]) for key in mine if key.split(b"\x1f", 2)[1] == b"cycle"]
        if here <= covered(stub) and max(cycles, default=1) <= stub.cycle:
            del shard.unread[code]
            shard.covered.setdefault(code, []).extend(mine)
        elif covered(stub) <= here:
            shard.stubs[code] = shard.evicted.pop(code)
