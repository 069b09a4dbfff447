"""Learning rates over a training."""

import math


def warm_cosine(step: int, steps: int, warm_up: int, highest: float, final: float) -> float:
    """The rate of a step (from 0): linear up to `highest` over `warm_up` steps, then a half cosine down to `final`."""
    if step < warm_up:
        return highest * (step + 1) / (warm_up + 1)
    progress = (step - warm_up) / max(1, steps - 1 - warm_up)
    return final + (highest - final) * (1 + math.cos(math.pi * min(1.0, progress))) / 2
