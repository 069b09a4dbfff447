"""Stored features: what they are, when they are made again, and how pairs are drawn from them."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tracker_scenes import HIDDEN_FRAME, LENGTH, write_split

from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.settings.config import parse
from vis_pipeline.structures.frames import Frame
from vis_pipeline.training.redetector.extraction import FeatureStore
from vis_pipeline.training.redetector.pairs import PairSampler, chosen_regions, object_table
from vis_pipeline.training.redetector.settings import PairSettings, RedetectorTraining
from vis_pipeline.training.redetector.store import NARROW, TRUE, WIDE, VideoFeatures, read_features, write_features
from vis_pipeline.training.tracker.sources import TrainingSet, read_training_set

DETECTOR = {"config": "recipes/htc_small_mixed", "checkpoint": "bundled:htc_small"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    split, frames = write_split(tmp_path_factory.mktemp("data"))
    return {"split": str(split), "frames": str(frames)}


@pytest.fixture(scope="module")
def source():  # type: ignore[no-untyped-def]
    return training({}).detector.region_source(torch.device("cpu"))


def training(data: dict[str, str], **values: object) -> RedetectorTraining:
    content = {"detector": DETECTOR, "sources": [data] if data else [], "schedule": {"steps": 2}, **values}
    return parse(RedetectorTraining, content, "config of a test")


def opened(folder: Path, chosen: RedetectorTraining) -> tuple[FeatureStore, TrainingSet]:
    read = read_training_set(chosen.sources)
    return FeatureStore(folder, read, chosen, chosen.detector.weights()), read


def test_features_are_those_of_the_detector(data, source, tmp_path) -> None:  # type: ignore[no-untyped-def]
    store, read = opened(tmp_path, training(data, looks={"plain": 1.0, "flip": 0.0}))
    assert list(store.make(store.missing(), source)) == [0, 1] and store.missing() == []
    features = store.read(1)
    assert features.frames.tolist() == list(range(LENGTH))
    assert isinstance(features.levels, np.memmap) and isinstance(features.features, np.memmap)
    seen = list(zip(features.sights.tolist(), features.objects.tolist(), strict=True))
    assert seen == [
        (frame, number) for frame in range(LENGTH) for number in range(3) if (frame, number) != (HIDDEN_FRAME, 2)
    ]
    for frame in (0, HIDDEN_FRAME):
        image = cv2.imread(str(read.videos[1].paths[frame]))
        (regions,) = source.regions([Frame(0, frame, "", image)])
        np.testing.assert_allclose(features.proposals_of(frame), regions.proposals, atol=1e-3)
        stored = source.trunk.over(features.pyramid(frame), torch.zeros((0, 4)), features.scale, features.size)
        boxes = torch.from_numpy(features.boxes[features.sights == frame])
        for kind in (TRUE, WIDE, NARROW):
            expected = regions.align(boxes[:, kind])
            kept = torch.from_numpy(features.features[features.sights == frame, kind].astype(np.float32))
            torch.testing.assert_close(kept, expected, atol=0.02, rtol=0.01)
            torch.testing.assert_close(stored.align(boxes[:, kind]), expected, atol=0.02, rtol=0.01)
    x, y, side = 8 + 40 + 4, 20 + 10 + 8, 18  # the second square in the fifth frame
    row = features.boxes[(features.sights == 4) & (features.objects == 1)][0]
    assert row[TRUE].tolist() == [x, y, x + side, y + side]
    assert np.abs(row[NARROW] - row[TRUE]).max() <= 0.16 * side < np.abs(row[WIDE] - row[TRUE]).max() + 3


def test_what_has_changed_is_made_again_and_nothing_else(data, source, tmp_path) -> None:  # type: ignore[no-untyped-def]
    looks = {"plain": 0.0}
    chosen = training(data, store={"frames_per_video": 2, "variants": 2}, looks=looks)
    store, read = opened(tmp_path, chosen)
    list(store.make(store.missing(), source))
    features = store.read(0)
    assert features.frames.tolist() == [0, 0, LENGTH - 1, LENGTH - 1] and len(features.levels) == 4
    assert not np.array_equal(features.levels[0], features.levels[1])
    assert opened(tmp_path, chosen)[0].missing() == []
    for other in (
        training(data, store={"frames_per_video": 2, "variants": 2}, looks=looks, pairs={"regions": 3}, log_every=2),
        training({**data, "weight": 3.0}, store={"frames_per_video": 2, "variants": 2, "gigabytes": 1.0}, looks=looks),
    ):
        assert opened(tmp_path, other)[0].missing() == []
    for other in (
        replace(chosen, seed=1),
        training(data, store={"frames_per_video": 3, "variants": 2}, looks=looks),
        training(data, store={"frames_per_video": 2, "variants": 2}, looks={"grey": 0.9}),
        replace(chosen, detector=replace(chosen.detector, config="recipes/htc_lite_real")),
    ):
        assert opened(tmp_path, other)[0].missing() == [0, 1]
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(b"x")
    assert FeatureStore(tmp_path, read, chosen, weights).missing() == [0, 1]
    moved = replace(read.objects[4], boxes=read.objects[4].boxes + 1)
    changed = replace(read, objects=(*read.objects[:4], moved, *read.objects[5:]))
    assert FeatureStore(tmp_path, changed, chosen, chosen.detector.weights()).missing() == [1]


def test_too_many_features_do_not_begin(data, source, tmp_path) -> None:  # type: ignore[no-untyped-def]
    store, _ = opened(tmp_path, training(data, store={"gigabytes": 1e-4}))
    with pytest.raises(
        ConfigError, match=r"store.gigabytes = 0.0001: the features of 12 frames would take about 0.0 GB"
    ):
        list(store.make(store.missing(), source))
    assert store.missing() == [0, 1]


def drawn_features(objects: list[int], sights: list[int], frames: list[int]) -> VideoFeatures:
    rng = np.random.default_rng(len(objects))
    corners = rng.uniform(0, 60, (len(objects), 1, 2))
    boxes = np.concatenate([corners, corners + 20], axis=2).repeat(3, axis=1).astype(np.float32)
    proposals = np.concatenate([boxes[:3, 0], [[np.nan] * 4]]).astype(np.float32)
    return VideoFeatures(
        levels=rng.normal(size=(len(frames), 10)).astype(np.float16),
        proposals=np.stack([proposals] * len(frames)),
        frames=np.array(frames),
        objects=np.array(objects),
        sights=np.array(sights),
        boxes=boxes,
        features=rng.normal(size=(len(objects), 3, 2, 7, 7)).astype(np.float16),
        shapes=((2, 1, 3), (2, 2, 1)),
        scale=(1.0, 1.0),
        size=(90, 90),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    features = drawn_features([0, 1, 0], [0, 0, 1], [0, 4])
    write_features(tmp_path / "a", features)
    again = read_features(tmp_path / "a")
    for name, value in vars(features).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    first, second = again.pyramid(1)
    assert first.shape == (1, 2, 1, 3) and second.shape == (1, 2, 2, 1)
    assert torch.equal(torch.cat([first.ravel(), second.ravel()]), torch.from_numpy(features.levels[1]).float())
    assert again.proposals_of(0).shape == (3, 4)


def test_a_damaged_folder_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_features(folder, drawn_features([0], [0], [0]))
    (folder / "features.npy").write_bytes((folder / "features.npy").read_bytes()[:100])
    with pytest.raises(DataError, match=r"damaged .*; remove the folder, and they are made again"):
        read_features(folder)
    (folder / "meta.json").write_text(json.dumps({"shapes": 3}))
    with pytest.raises(DataError, match="damaged"):
        read_features(folder)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_regions_are_chosen_as_the_settings_say(data: st.DataObject) -> None:
    count, others = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 2))
    chosen = PairSettings(regions=data.draw(st.integers(1, 20)), positives=0.25, objects=0.5)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    own, theirs = rng.random(count).astype(np.float32), rng.random((count, others)).astype(np.float32)
    rows = chosen_regions(own, theirs, chosen, rng)
    assert len(set(rows.tolist())) == len(rows) <= chosen.regions
    positive = {row for row in range(count) if own[row] >= 0.5}
    distracting = {row for row in range(count) if row not in positive and (theirs[row] >= 0.5).any()}
    found = set(rows.tolist())
    assert len(found & positive) == min(len(positive), round(0.25 * chosen.regions))
    left = chosen.regions - len(found & positive)
    assert len(found & distracting) == min(len(distracting), round(0.5 * left))
    rest = count - len(positive) - len(distracting)
    assert len(found - positive - distracting) == min(rest, left - len(found & distracting))


def test_a_pair_is_one_object_in_two_sights(data) -> None:  # type: ignore[no-untyped-def]
    read = read_training_set(training(data).sources)
    frames = list(range(LENGTH))
    rows = [(frame, number) for frame in frames for number in range(3) if (frame, number) != (HIDDEN_FRAME, 2)]
    stored = [drawn_features([number for _, number in rows], [frame for frame, _ in rows], frames)] * 2
    table = object_table(read, stored)
    assert len(table) == 2 * len(rows) and table.object.tolist() == [3 * v + n for v in (0, 1) for _, n in rows]
    sampler = PairSampler(read, table, stored, PairSettings(regions=9, max_gap=2))
    rng = np.random.default_rng(0)
    pairs = [sampler.draw(rng) for _ in range(200)]
    for pair in pairs:
        assert table.object[pair.template] == table.object[pair.target] and pair.template != pair.target
        assert abs(table.frame[pair.template] - table.frame[pair.target]) <= 2
        assert table.clear[pair.template] and 1 <= len(pair.boxes) <= 9
        low, high = pair.boxes[:, :2], pair.boxes[:, 2:]
        assert (low >= 0).all() and (high <= 90).all() and (high > low).all()
    assert {int(table.object[pair.template]) for pair in pairs} == set(range(6))
    assert {abs(int(table.frame[p.template] - table.frame[p.target])) for p in pairs} == {1, 2}
    only_one = [drawn_features([0, 1, 2], [0, 0, 0], [0])] * 2
    with pytest.raises(DataError, match="no object is seen in two frames"):
        PairSampler(read, object_table(read, only_one), only_one, PairSettings())
