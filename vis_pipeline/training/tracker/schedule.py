"""The learning rate over a training."""

import math

from vis_pipeline.training.tracker.settings import ScheduleSettings


def learning_rate(step: int, settings: ScheduleSettings) -> float:
    """The rate of a step (from 0): linear warm-up, then a half cosine down to `final_rate` at the last step."""
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / (settings.warm_up + 1)
    progress = (step - settings.warm_up) / max(1, settings.steps - 1 - settings.warm_up)
    half_cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
    return settings.final_rate + (settings.learning_rate - settings.final_rate) * half_cosine


def search_side(step: int, settings: ScheduleSettings) -> int:
    """Side of the search crops at a step."""
    return [side for share, side in settings.search_sides if step >= round(share * settings.steps)][-1]


def norm_freeze_step(settings: ScheduleSettings) -> int:
    """The first step with fixed batch-norm statistics."""
    return round(settings.steps * settings.freeze_norm_at)
