"""In which order the stretches of a line stand whose writing runs both ways, by Unicode's annex 9.

For the lines that need several fonts; within one font Pillow's raqm does the same. Without the embedding characters,
which are taken out of names before, and without pairs of brackets.
"""

import unicodedata
from itertools import groupby

_STRONG = {"L", "R", "AL"}
_NEUTRAL = {"B", "S", "WS", "ON"}


def visual_runs(text: str) -> list[tuple[int, int, bool]]:
    """Stretches of the text from left to right: begin, end (exclusive), and whether it is written to the left."""
    levels = _levels(text)
    runs = []
    begin = 0
    for level, group in groupby(levels):
        end = begin + len(list(group))
        runs.append((begin, end, level))
        begin = end
    for turned in range(max(levels, default=0), 0, -1):
        runs = _reversed_from(runs, turned)
    return [(first, last, level % 2 == 1) for first, last, level in runs]


def _reversed_from(runs: list[tuple[int, int, int]], least: int) -> list[tuple[int, int, int]]:
    """Each sequence of stretches of at least this level the other way round (rule L2)."""
    turned: list[tuple[int, int, int]] = []
    for high, group in groupby(runs, key=lambda run: run[2] >= least):
        sequence = list(group)
        turned += sequence[::-1] if high else sequence
    return turned


def _levels(text: str) -> list[int]:
    """The embedding level of each character, of one paragraph whose direction is that of its first letter."""
    kinds = [unicodedata.bidirectional(character) or "L" for character in text]
    base = next((int(kind != "L") for kind in kinds if kind in _STRONG), 0)
    start = "R" if base else "L"
    _resolve_marks(kinds, start)
    _resolve_numbers(kinds, start)
    _resolve_neutrals(kinds, start)
    return [base + _RISE[base][kind] for kind in kinds]


# Rules I1 and I2: by how much the kinds rise over an even and an odd level.
_RISE = ({"L": 0, "R": 1, "AN": 2, "EN": 2}, {"L": 1, "R": 0, "AN": 1, "EN": 1})


def _resolve_marks(kinds: list[str], start: str) -> None:
    """Rules W1 to W3, in place: marks are as what they stand on, and digits after Arabic letters are Arabic."""
    before = strong = start
    for place, kind in enumerate(kinds):
        kind = before if kind in ("NSM", "BN") else kind
        strong = kind if kind in _STRONG else strong
        before = kind
        kinds[place] = "AN" if kind == "EN" and strong == "AL" else kind
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]


def _resolve_numbers(kinds: list[str], start: str) -> None:
    """Rules W4 to W7, in place: what stands in a number or at it is a part of it."""
    for place in range(1, len(kinds) - 1):
        before, kind, after = kinds[place - 1 : place + 2]
        if before == after and (kind, before) in (("ES", "EN"), ("CS", "EN"), ("CS", "AN")):
            kinds[place] = before
    begin = 0
    for kind, group in groupby(list(kinds)):
        end = begin + len(list(group))
        if kind == "ET" and "EN" in (kinds[begin - 1 : begin] + kinds[end : end + 1]):
            kinds[begin:end] = ["EN"] * (end - begin)
        begin = end
    strong = start
    for place, kind in enumerate(kinds):
        strong = kind if kind in ("L", "R") else strong
        kinds[place] = "ON" if kind in ("ES", "CS", "ET") else "L" if (kind, strong) == ("EN", "L") else kind


def _resolve_neutrals(kinds: list[str], start: str) -> None:
    """Rules N1 and N2, in place: between two of one direction neutrals take it, else that of the paragraph."""
    begin = 0
    for neutral, group in groupby(list(kinds), key=lambda kind: kind in _NEUTRAL):
        end = begin + len(list(group))
        if neutral:
            sides = {_side(kinds[begin - 1]) if begin else start, _side(kinds[end]) if end < len(kinds) else start}
            kinds[begin:end] = [sides.pop() if len(sides) == 1 else start] * (end - begin)
        begin = end


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"
