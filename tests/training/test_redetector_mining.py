"""The embedding, its loss and its neighbours."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.errors import ConfigError
from vis_pipeline.training.redetector.embedding import Embedding, batch_hard_loss, draw_groups
from vis_pipeline.training.redetector.neighbours import NeighbourIndex, one_a_video


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 4))
def test_batch_hard_loss_is_that_of_its_definition(seed: int, groups: int, members: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn((groups * members, 3), generator=generator)
    labels = torch.arange(groups).repeat(members)
    losses = []
    for one in range(len(points)):
        distances = [float((points[one] - other).norm()) for other in points]
        same = [value for value, label in zip(distances, labels, strict=True) if label == labels[one]]
        others = [value for value, label in zip(distances, labels, strict=True) if label != labels[one]]
        losses.append(max(0.0, 0.2 + max(same) - min(others)))
    assert float(batch_hard_loss(points, labels, 0.2)) == pytest.approx(sum(losses) / len(losses), rel=1e-3, abs=1e-4)


def test_the_loss_brings_groups_together() -> None:
    torch.manual_seed(0)
    centres = torch.randn((4, 6, 7, 7))
    network = Embedding(6, 8)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    labels = torch.arange(4).repeat_interleave(4)
    for _ in range(60):
        points = network(centres[labels] + 1.5 * torch.randn((16, 6, 7, 7)))
        loss = batch_hard_loss(points, labels, 0.2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        points = network(centres[labels] + 1.5 * torch.randn((16, 6, 7, 7)))
    assert torch.allclose(points.norm(dim=1), torch.ones(16))
    distances = torch.cdist(points, points).fill_diagonal_(torch.inf)
    assert bool((labels[distances.argmin(1)] == labels).all())


def test_a_batch_has_members_of_some_groups() -> None:
    members = [np.array([0, 1, 2, 3]), np.array([4]), np.array([5, 6, 7])]
    rows, groups = draw_groups(members, 2, 3, np.random.default_rng(0))
    assert len(rows) == 6 and len(set(groups.tolist())) == 2
    assert all(row in members[group] for row, group in zip(rows, groups, strict=True))
    for group in set(groups.tolist()):
        if len(members[group]) >= 3:
            assert len(set(rows[groups == group].tolist())) == 3
    assert len(set(draw_groups(members, 9, 3, np.random.default_rng(0))[1].tolist())) == 3


def test_neighbours_are_the_nearest_of_other_videos() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(600, 8)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    videos = rng.integers(0, 30, 600)
    index, again = NeighbourIndex(points, videos, seed=0), NeighbourIndex(points, videos, seed=0)
    hits = []
    for row in range(0, 600, 40):
        order = np.argsort(((points - points[row]) ** 2).sum(1), kind="stable")
        expected = [other for other in order if videos[other] != videos[row]]
        found = index.nearest(row, 50)
        assert len(found) == 50 and (videos[found] != videos[row]).all()
        assert (found == again.nearest(row, 50)).all()
        hits.append(len(set(found.tolist()) & set(expected[:50])) / 50)
        everyone = index.nearest(row, 10_000)
        assert set(everyone.tolist()) == set(expected) and everyone[:20].tolist() == expected[:20]
    assert np.mean(hits) > 0.95


def test_one_a_video_at_most() -> None:
    videos = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    rows = np.array([0, 1, 2, 3, 5, 6, 7])
    rng = np.random.default_rng(0)
    drawn = [one_a_video(rows, videos, 3, rng) for _ in range(60)]
    assert all(len(chosen) == 3 and len(set(videos[chosen])) == 3 and set(chosen) <= set(rows) for chosen in drawn)
    assert {int(row) for chosen in drawn for row in chosen} == set(rows.tolist())
    assert sorted(videos[one_a_video(rows, videos, 100, rng)].tolist()) == [0, 1, 2, 3]
    assert len(one_a_video(rows[:0], videos, 3, rng)) == 0


def test_without_hnswlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hnswlib", None)
    with pytest.raises(ConfigError, match="needs the package hnswlib; run `pip install hnswlib`"):
        NeighbourIndex(np.zeros((2, 3), np.float32), np.zeros(2, np.int64), 0)
