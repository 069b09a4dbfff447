"""Edits applied to lists of dense masks, frame by frame: slow and literal."""

from fractions import Fraction

import numpy as np


class CannotBeDoneError(Exception):
    pass


class Cell:
    """A mask, bool [H, W], with the score of the track that it came from and whether it was only predicted."""

    def __init__(self, mask, score, predicted):
        self.mask, self.score, self.predicted = np.asarray(mask, dtype=bool), Fraction(score), predicted


class DenseVideo:
    """Tracks as `{(index, part): [category, score while it has no mask, [Cell or None a frame]]}`."""

    def __init__(self, tracks):
        self.alive = {(index, 0): list(track) for index, track in enumerate(tracks)}
        self.splits = dict.fromkeys(range(len(tracks)), 0)

    def do(self, edit):
        if edit["op"] == "join":
            parts = edit.get("parts") or [0] * len(edit["tracks"])
            self.join(list(zip(edit["tracks"], parts, strict=True)))
        else:
            name = (edit["track"], edit.get("part", 0))
            self.find(name)
            if edit["op"] == "delete":
                del self.alive[name]
            elif edit["op"] == "rename":
                self.alive[name][0] = edit["category"]
            else:
                self.split(name, edit["frame"])

    def find(self, name):
        if name not in self.alive:
            raise CannotBeDoneError
        return self.alive[name]

    def score(self, name):
        _, score, cells = self.alive[name]
        shown = [cell.score for cell in cells if cell is not None]
        return sum(shown) / len(shown) if shown else Fraction(score)

    def join(self, names):
        for name in names:
            self.find(name)
        by_score = sorted(names, key=lambda name: -self.score(name))
        joined = []
        for frame in range(len(self.alive[names[0]][2])):
            shown = [cell for name in by_score if (cell := self.alive[name][2][frame]) is not None]
            joined.append(shown[0] if shown else None)
        self.alive[names[0]][2] = joined
        for name in names[1:]:
            del self.alive[name]

    def split(self, name, frame):
        category, score, cells = self.alive[name]
        before = [cell if index < frame else None for index, cell in enumerate(cells)]
        after = [cell if index >= frame else None for index, cell in enumerate(cells)]
        if not any(before) or not any(after):
            raise CannotBeDoneError
        self.splits[name[0]] += 1
        self.alive[name][2] = before
        self.alive[name[0], self.splits[name[0]]] = [category, score, after]

    def left(self):
        """`(category, score, cells)` of each track that is left, by index and part."""
        return [(self.alive[name][0], self.score(name), self.alive[name][2]) for name in sorted(self.alive)]
