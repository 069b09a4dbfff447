"""The learning rate and the crop sizes over a training."""

import math

from vis_pipeline.training.rates import warm_cosine
from vis_pipeline.training.tracker.recipe import AdamWCosine, Schedule, SgdLogarithmic


def learning_rate(step: int, settings: Schedule) -> float:
    """The rate of a step (from 0)."""
    if isinstance(settings, SgdLogarithmic):
        return _logarithmic_rate(step, settings)
    assert isinstance(settings, AdamWCosine)
    return _cosine_rate(step, settings)


def search_side(step: int, settings: Schedule) -> int:
    """Side of the search crops at a step."""
    return [side for share, side in settings.search_sides if step >= round(share * settings.steps)][-1]


def norm_freeze_step(settings: Schedule) -> int:
    """The first step with fixed batch-norm statistics."""
    return round(settings.steps * settings.freeze_norm_at)


def _cosine_rate(step: int, settings: AdamWCosine) -> float:
    return warm_cosine(step, settings.steps, settings.warm_up, settings.learning_rate, settings.final_rate)


def _logarithmic_rate(step: int, settings: SgdLogarithmic) -> float:
    epoch = step * settings.epochs // settings.steps
    warm_up = settings.warm_up_epochs
    if epoch < warm_up:
        return settings.start_rate + (settings.learning_rate - settings.start_rate) * epoch / max(1, warm_up - 1)
    progress = (epoch - warm_up) / max(1, settings.epochs - warm_up - 1)
    return settings.learning_rate * math.pow(settings.final_rate / settings.learning_rate, progress)
