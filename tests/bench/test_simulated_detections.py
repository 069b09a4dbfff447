"""Detections drawn from true masks: what is missed, moved and made up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vis_pipeline import masks
from vis_pipeline.bench.simulated_detections import DetectorFaults, dropped, jittered, simulate
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

LENGTH, HEIGHT, WIDTH = 40, 48, 64


def object_at(identifier, video_id, left, frames=range(LENGTH), category_id=3, iscrowd=False):
    stack = np.zeros((LENGTH, HEIGHT, WIDTH), dtype=bool)
    for frame in frames:
        stack[frame, 10:30, left : left + 12] = True
    rles = [rle if frame in frames else None for frame, rle in enumerate(masks.encode(stack))]
    return Annotation(identifier, video_id, category_id, tuple(rles), None, iscrowd)


def split(*annotations, videos=(1,)):
    names = tuple(f"{frame:05d}.jpg" for frame in range(LENGTH))
    return Split(
        tuple(Video(video, WIDTH, HEIGHT, LENGTH, names) for video in videos), (Category(3, "x"),), annotations
    )


@given(hnp.arrays(np.bool_, 60), st.sampled_from([0.0, 0.25, 0.4, 1.0]), st.integers(1, 4), st.integers(0, 4))
def test_the_share_is_dropped_to_the_frame(shown, share, shortest, spread):
    faults = DetectorFaults(drop=share, runs=(shortest, shortest + spread))
    missed = dropped(shown, faults, np.random.default_rng(0))
    assert (missed & shown).sum() == round(share * shown.sum())


def test_frames_are_missed_in_runs_of_the_lengths_asked_for():
    lengths = []
    for seed in range(200):
        missed = dropped(np.ones(200, dtype=bool), DetectorFaults(0.1, (3, 5)), np.random.default_rng(seed))
        edges = np.flatnonzero(np.diff(np.concatenate([[0], missed.astype(int), [0]])))
        lengths += (edges[1::2] - edges[::2]).tolist()
    # A run is shorter only where the share is reached or the video ends, longer where two meet.
    assert np.mean([3 <= length <= 5 for length in lengths]) > 0.7
    assert set(lengths) >= {3, 4, 5}


def test_without_jitter_the_true_masks_come_back_with_a_score_of_one():
    truth = split(object_at(1, 1, 5), object_at(2, 1, 40, range(10, 20)))
    entries = simulate(truth, DetectorFaults(drop=0.0), seed=0)
    assert len(entries) == 50
    assert {entry["score"] for entry in entries} == {1.0}
    for entry in entries:
        assert entry["category_id"] == 3
        true = [annotation.segmentations[entry["frame_index"]] for annotation in truth.annotations]
        assert entry["segmentation"] in true


def test_a_jittered_mask_is_scored_by_its_iou_with_the_true_one():
    truth = split(object_at(1, 1, 25))
    true = masks.decode(truth.annotations[0].segmentations[0])
    entries = simulate(truth, DetectorFaults(drop=0.0, jitter=0.1), seed=1)
    for entry in entries:
        mask = masks.decode(entry["segmentation"])
        assert entry["score"] == pytest.approx((mask & true).sum() / (mask | true).sum())
    assert 0.5 < np.mean([entry["score"] for entry in entries]) < 0.95


def test_jitter_shifts_and_scales_about_the_centre():
    mask = np.zeros((200, 200), dtype=bool)
    mask[80:120, 80:120] = True
    rng = np.random.default_rng(3)
    moved = [jittered(mask, 0.1, rng) for _ in range(300)]
    centres = np.array([np.argwhere(one).mean(axis=0) for one in moved]) - 99.5
    assert np.std(centres, axis=0) == pytest.approx([4, 4], rel=0.15)
    assert np.abs(centres.mean(axis=0)).max() < 1
    assert np.std([np.log(one.sum() / mask.sum()) / 2 for one in moved]) == pytest.approx(0.1, rel=0.2)


def test_false_positives_are_as_many_as_asked_for_and_stand_still_for_a_run():
    truth = split(*(object_at(video, video, 5) for video in range(1, 31)), videos=range(1, 31))
    faults = DetectorFaults(drop=1.0, false_positives=0.5, runs=(4, 4))
    entries = simulate(truth, faults, seed=2)
    assert len(entries) / (30 * LENGTH) == pytest.approx(0.5, rel=0.2)
    assert all(0 <= entry["score"] <= 0.7 for entry in entries)
    first = [entry for entry in entries if entry["video_id"] == entries[0]["video_id"]]
    alike = [entry["frame_index"] for entry in first if entry["score"] == first[0]["score"]]
    assert alike == list(range(alike[0], alike[0] + len(alike)))


def test_a_video_s_detections_do_not_depend_on_the_others_and_crowds_are_not_detected():
    one, two = object_at(1, 1, 5), object_at(2, 2, 30)
    both = simulate(split(one, two, videos=(1, 2)), DetectorFaults(false_positives=0.3), seed=4)
    alone = simulate(split(two, videos=(2,)), DetectorFaults(false_positives=0.3), seed=4)
    assert [entry for entry in both if entry["video_id"] == 2] == alone
    assert simulate(split(replace(one, iscrowd=True)), DetectorFaults(drop=0.0), seed=4) == []


def test_a_split_without_annotations_is_refused():
    for without in (replace(split(), annotations=None), split()):
        with pytest.raises(DataError, match="has no annotations"):
            simulate(without, DetectorFaults(), seed=0)


def test_an_empty_mask_is_not_detected():
    empty = masks.encode(np.zeros((1, HEIGHT, WIDTH), dtype=bool))[0]
    truth = split(replace(object_at(1, 1, 5), segmentations=(empty,) * LENGTH))
    assert simulate(truth, DetectorFaults(drop=0.0), seed=0) == []
