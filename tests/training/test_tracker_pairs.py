"""Which pairs are drawn from a training set."""

import dataclasses

import numpy as np
import pytest
import torch
from tracker_scenes import HIDDEN_FRAME, settings_of, write_split

from vis_pipeline.errors import ConfigError
from vis_pipeline.trackers.siammask.geometry import context_side
from vis_pipeline.training.tracker.crops import MASK_MARGIN
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.host_crops import PairCutter
from vis_pipeline.training.tracker.pairs import PairSampler
from vis_pipeline.training.tracker.settings import AugmentSettings, PairSettings
from vis_pipeline.training.tracker.source_settings import VideoSource
from vis_pipeline.training.tracker.sources import read_training_set, with_crowds

PLAIN = AugmentSettings(
    exemplar_shift=0, exemplar_scale=0, search_shift=0, search_scale=0, refine_shift=0, refine_scale=(1, 1),
    flip=0, grey=0, blur=0, light=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    split, frames = write_split(tmp_path_factory.mktemp("split"))
    return read_training_set([VideoSource(split, frames)])


def _draw(data, count, pairs, augment=PLAIN, seed=0):
    sampler = PairSampler(data, pairs, augment)
    rng = np.random.default_rng(seed)
    return [sampler.draw(rng) for _ in range(count)]


def _shown(data, window, nearest=False):
    """The object at the centre of an exemplar's window, or the one nearest to it."""
    offsets = []
    for entry in data.objects:
        box = entry.boxes[window.frame]
        far = np.abs(box[:2] + box[2:] / 2 - (window.x, window.y)).max()
        offsets.append(far if entry.video == window.video and box[2] else np.inf)
    assert nearest or min(offsets) == 0
    return int(np.argmin(offsets))


def _change(data, window, index):
    """Shift in crop pixels and factor of a window against its object's, without any change."""
    box = data.objects[index].boxes[window.frame]
    x, y = (np.array([window.x, window.y]) - box[:2] - box[2:] / 2) * window.size / window.side
    return x, y, window.side / (context_side(*box[2:]) * window.size / 127)


def test_positive_pairs_show_one_object_within_the_gap(data):
    for pair in _draw(data, 60, PairSettings(max_gap=2, negatives=0)):
        assert pair.positive
        assert pair.exemplar.video == pair.search.video == data.objects[pair.target].video
        assert abs(pair.exemplar.frame - pair.search.frame) <= 2
        assert data.objects[pair.target].segmentations[pair.search.frame] is not None
        assert (pair.search.x, pair.search.y) == (pair.second.x, pair.second.y)
        assert pair.search.side == pytest.approx(pair.second.side * 255 / 127)


def test_negative_pairs_show_another_object_or_a_hidden_one(data):
    pairs = _draw(data, 200, PairSettings(negatives=1, hidden=0.5, lookalikes=0.5))
    negative = [pair for pair in pairs if not pair.positive]
    assert len(negative) > 150
    hidden = [pair for pair in negative if data.objects[pair.target].segmentations[pair.search.frame] is None]
    assert hidden
    for pair in hidden:
        assert pair.search.frame == HIDDEN_FRAME
        assert pair.exemplar.video == pair.search.video
        assert pair.target_box.tolist() == data.objects[pair.target].boxes[HIDDEN_FRAME - 1].tolist()


def test_a_lookalike_is_of_the_exemplars_class(data):
    by_place = {
        (entry.video, int(frame), *(entry.boxes[frame][:2] + entry.boxes[frame][2:] / 2)): entry
        for entry in data.objects
        for frame in entry.visible
    }
    for pair in _draw(data, 80, PairSettings(negatives=1, hidden=0, lookalikes=1)):
        window = pair.exemplar
        exemplar = by_place[(window.video, window.frame, window.x, window.y)]
        assert exemplar.category == data.objects[pair.target].category


def test_crowded_pairs_show_a_frame_in_which_boxes_meet(data):
    boxes = [np.array(data.objects[0].boxes), np.array(data.objects[1].boxes)]
    boxes[1][4] = boxes[0][4] + (2, 2, 0, 0)
    objects = [dataclasses.replace(data.objects[number], boxes=boxes[number]) for number in (0, 1)]
    first, second = (with_crowds(entry, objects) for entry in objects)
    assert first.crowded.tolist() == second.crowded.tolist() == [4]
    apart = dataclasses.replace(data, objects=(first, second, *data.objects[2:]))
    pairs = _draw(apart, 100, PairSettings(negatives=0, crowded=1))
    assert {pair.search.frame for pair in pairs if pair.target in (0, 1)} == {4}


def test_objects_of_other_classes_are_negative_too(data):
    pairs = _draw(data, 100, PairSettings(negatives=1, hidden=0, lookalikes=0))
    assert all(not pair.positive for pair in pairs)
    sources = [data.objects[_shown(data, pair.exemplar)] for pair in pairs]
    # Where chance offers none of another class that lies apart, one of the same class serves.
    targets = [data.objects[pair.target] for pair in pairs]
    differing = [one.category != other.category for one, other in zip(sources, targets, strict=True)]
    assert np.mean(differing) > 0.8
    assert any(pair.exemplar.video == pair.search.video for pair in pairs)
    assert any(pair.exemplar.video != pair.search.video for pair in pairs)


def test_a_negative_of_the_same_frame_keeps_the_exemplars_object_out_of_reach(data):
    reach = 255 / 2
    for pair in _draw(data, 300, PairSettings(negatives=1, hidden=0)):
        source = _shown(data, pair.exemplar)
        box = data.objects[source].boxes[pair.search.frame]
        if data.objects[source].video == pair.search.video and box[2]:
            gap = np.abs(box[:2] + box[2:] / 2 - (pair.search.x, pair.search.y)).max()
            assert gap > reach * pair.search.side / 255


def test_the_only_object_of_its_class_has_negatives_of_other_classes(data):
    alone = [dataclasses.replace(entry, category=(0, number)) for number, entry in enumerate(data.objects)]
    pairs = _draw(
        dataclasses.replace(data, objects=tuple(alone)), 60, PairSettings(negatives=1, hidden=0, lookalikes=1)
    )
    assert sum(pair.positive for pair in pairs) < 6


def test_the_share_of_negatives_and_the_changes_are_those_of_the_settings(data):
    augment = AugmentSettings()
    pairs = _draw(data, 3000, PairSettings(negatives=0.2), augment)
    assert np.mean([not pair.positive for pair in pairs]) == pytest.approx(0.2, abs=0.03)
    assert np.mean([pair.flip for pair in pairs]) == pytest.approx(0.5, abs=0.04)
    exemplar = np.array([_change(data, pair.exemplar, _shown(data, pair.exemplar, nearest=True)) for pair in pairs])
    search = np.array([_change(data, pair.search, pair.target) for pair in pairs if pair.positive])
    for found, shift, scale in ((exemplar, 4, 0.05), (search, 64, 0.18)):
        assert np.abs(found[:, :2]).max() == pytest.approx(shift, rel=0.02)
        assert (found[:, 2].min(), found[:, 2].max()) == pytest.approx((1 - scale, 1 + scale), abs=0.01)
        assert np.abs(found[:, :2].mean(0)).max() < shift / 20


def test_objects_are_drawn_by_the_shares_of_their_sources(data):
    weights = np.array([0.1, 0.1, 0.1, 0.2, 0.5, 0.0])
    pairs = _draw(dataclasses.replace(data, weights=weights), 2000, PairSettings(negatives=0))
    drawn = np.bincount([pair.target for pair in pairs], minlength=6) / 2000
    assert drawn == pytest.approx(weights, abs=0.04)
    assert drawn[5] == 0
    # Those of negative pairs, too: without weight, an object is not shown.
    pairs = _draw(dataclasses.replace(data, weights=weights), 400, PairSettings(negatives=1, hidden=0, lookalikes=0))
    elsewhere = [pair.target for pair in pairs if pair.search.video != pair.exemplar.video]
    assert elsewhere and 5 not in elsewhere


def test_a_still_image_is_both_frames_of_its_pairs(data):
    video = data.videos[0]
    stills = [
        dataclasses.replace(
            entry, segmentations=entry.segmentations[:1], boxes=entry.boxes[:1],
            visible=np.array([0]), clear=np.array([0]), hidden=np.array([], np.int64), crowded=np.array([], np.int64),
        )
        for entry in data.objects[:3]
    ]  # fmt: skip
    one = dataclasses.replace(video, paths=video.paths[:1])
    still = dataclasses.replace(data, videos=(one,), objects=tuple(stills), weights=np.full(3, 1 / 3))
    for pair in _draw(still, 50, PairSettings(), AugmentSettings()):
        assert pair.exemplar.frame == pair.search.frame == 0
        assert (pair.exemplar.x, pair.exemplar.y) != (pair.search.x, pair.search.y)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": -1}, "seed = -1: "),
        ({"augment": {"search_shift": -4}}, "augment.search_shift = -4: "),
        ({"augment": {"refine_scale": (1.4, 0.7)}}, "augment.refine_scale = .*: .*the least factor comes first"),
    ],
)
def test_settings_that_no_pair_can_be_drawn_by_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        settings_of(**values)


def test_drawing_depends_on_the_generator_alone(data):
    first, second = (_draw(data, 10, PairSettings(), AugmentSettings(), seed=3) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        one, other = dataclasses.asdict(one), dataclasses.asdict(other)
        assert one.pop("target_box").tolist() == other.pop("target_box").tolist()
        assert one == other


def test_context_of_a_square_doubles_its_side():
    assert context_side(40, 40) == pytest.approx(80)
    assert context_side(20, 60) == pytest.approx(np.sqrt(60 * 100))


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_box_and_mask_of_a_search_crop_agree(data, flip):
    augment = dataclasses.replace(PLAIN, search_shift=20, flip=flip)
    cutter = PairCutter(data, FrameStore(data.videos, 1), augment)
    pairs = _draw(data, 20, PairSettings(negatives=0), augment)
    batch = cutter.batch(pairs, np.random.default_rng(0))
    for box, plane in zip(batch.boxes.numpy(), batch.search_masks.numpy(), strict=True):
        ys, xs = np.nonzero(plane[MASK_MARGIN:-MASK_MARGIN, MASK_MARGIN:-MASK_MARGIN])
        assert abs((xs.min() + xs.max()) / 2 - box[0]) < 2.5
        assert abs((ys.min() + ys.max()) / 2 - box[1]) < 2.5
        assert abs(xs.max() - xs.min() + 1 - box[2]) < 2.5


def test_batches_have_the_stated_shapes_for_shorter_crops(data):
    sampler = PairSampler(data, PairSettings(), AugmentSettings())
    rng = np.random.default_rng(0)
    batch = PairCutter(data, FrameStore(data.videos, 1), AugmentSettings()).batch(
        [sampler.draw(rng, 191) for _ in range(3)], rng
    )
    assert batch.exemplars.shape == (3, 3, 127, 127)
    assert batch.searches.shape == (3, 3, 191, 191)
    assert batch.search_masks.shape == (3, 255, 255)
    assert batch.second_masks.shape == (3, 127, 127)
    assert batch.searches.dtype == torch.uint8


def test_the_mask_of_a_hidden_object_is_empty(data):
    pair = next(
        pair
        for pair in _draw(data, 200, PairSettings(negatives=1, hidden=1))
        if data.objects[pair.target].segmentations[pair.search.frame] is None
    )
    batch = PairCutter(data, FrameStore(data.videos, 1), PLAIN).batch([pair], np.random.default_rng(0))
    assert not batch.search_masks.any()
    assert not batch.positive.any()
