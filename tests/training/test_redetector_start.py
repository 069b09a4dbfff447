"""The directions that a comparison begins with tell objects apart."""

import numpy as np
import pytest
import torch
from redetection_scenes import templates, tiny_redetector

from vis_pipeline.training.redetector.start import discriminant_directions


def test_what_varies_within_objects_counts_less_than_what_tells_them_apart() -> None:
    rng = np.random.default_rng(0)
    objects = np.repeat(np.arange(40), 10)
    mix = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    # Only the first two hidden coordinates are the objects' own; the others vary from box to box, and more strongly.
    own = rng.normal(size=(40, 5)) * [2.0, 1.0, 0, 0, 0]
    points = (own[objects] + rng.normal(size=(400, 5)) * [0.3, 0.3, 1.0, 0.8, 0.6]) @ mix
    directions = discriminant_directions(points, objects).double().numpy()
    seen = points @ directions.T
    means = np.stack([seen[objects == number].mean(0) for number in range(40)])
    between, within = means.var(0), np.mean([seen[objects == number].var(0) for number in range(40)], axis=0)
    ratios = between / within
    assert ratios[0] > ratios[1] > 5 and (ratios[2:] < 0.5).all()
    assert within[:2] == pytest.approx([0.25, 0.25], rel=0.15)
    assert (within[2:] < 0.1).all()


def test_a_stage_compares_along_them() -> None:
    stage = tiny_redetector().cascade[1]
    directions = torch.arange(16.0).reshape(4, 4)
    stage.compare_along(directions)
    one, other = templates(2), templates(2, seed=9)
    found = stage.reduce(torch.cat([one, other], dim=1))
    torch.testing.assert_close(found, torch.einsum("dc,nchw->ndhw", directions, other - one), atol=1e-4, rtol=1e-4)
    assert not bool(stage.reduce(torch.cat([one, one], dim=1)).abs().max() > 1e-4)
