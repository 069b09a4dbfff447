"""Files damaged at random, and how many are tried: a few in the suite, `make fuzz N=...` as many as are wanted."""

import contextlib
import copy
import json
import os
import random
from typing import Any

JUNK: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, 10**13, 10**400, 0.5, 1e308, float("nan"), float("inf")),
    *("", "1", "x", "\x00", "\ud800", "é\n", "[/red]", "../../x", "/", "x" * 300),
    *([], {}, [[]], [None], [1, 2], {"size": [3, 4], "counts": [12]}, json.loads("[" * 60 + "]" * 60)),
]
TEXTS = [
    *(b"", b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"NaN", b"null"),
    *(b"\xef\xbb\xbf", b"\xff", b"\x00", b"9" * 500),
]


def cases(few: int) -> range:
    """The numbers of the cases to try: each is its own seed."""
    return range(int(os.environ.get("FUZZ_CASES", few)))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The same file with one to three damages; what is JSON stays so half of the time."""
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.6:
            with contextlib.suppress(ValueError):
                data = json.dumps(_other(json.loads(data), rng)).encode()
                continue
        first, last = sorted(rng.randint(0, len(data)) for _ in range(2))
        kind = rng.choice(["cut", "flip", "insert", "remove", "twice"])
        if kind == "cut":
            data = data[:last]
        elif kind == "flip" and data:
            place = min(first, len(data) - 1)
            data = data[:place] + bytes([data[place] ^ (1 << rng.randint(0, 7))]) + data[place + 1 :]
        elif kind == "insert":
            data = data[:first] + rng.choice(TEXTS) + data[first:]
        elif kind == "remove":
            data = data[:first] + data[last:]
        elif kind == "twice":
            data = data[:last] + data[first:]
    return data


def _other(content: Any, rng: random.Random) -> Any:
    """JSON with one value changed, moved, doubled or removed somewhere inside."""
    content = copy.deepcopy(content)
    places = _places(content)
    if not places:
        return copy.deepcopy(rng.choice(JUNK))
    holder, key = rng.choice(places)
    kind = rng.choice(["junk", "junk", "junk", "remove", "again", "swap"])
    if kind == "junk":
        holder[key] = copy.deepcopy(rng.choice(JUNK))
    elif kind == "remove":
        del holder[key]
    elif isinstance(holder, list) and kind == "again":
        holder.insert(rng.randint(0, len(holder)), copy.deepcopy(holder[key]))
    elif isinstance(holder, list):
        holder[key], holder[0] = holder[0], holder[key]
    return content


def _places(content: Any) -> list[tuple[Any, Any]]:
    keys = list(content) if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else []
    return [(content, key) for key in keys] + [place for key in keys for place in _places(content[key])]


def require_done_or_one_line(code: int, said: str, what: str) -> None:
    """Exit code 0, or 2 and one line; warnings may come before."""
    lines = [line for line in said.splitlines() if not line.startswith(("warning: ", "note: "))]
    if code == 0:
        assert not lines, f"{what}: {said}"
    else:
        assert code == 2 and len(lines) == 1 and lines[0].startswith("error: "), f"{what}: {code} {said}"
