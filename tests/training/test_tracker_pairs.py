"""Which pairs are drawn, and what is cut for them."""

import dataclasses

import numpy as np
import pytest
import torch
from tracker_scenes import HEIGHT, HIDDEN_FRAME, WIDTH, write_split

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.siammask.paste import paste
from vis_pipeline.training.tracker.crops import MASK_MARGIN, PairCutter, cut_image, cut_mask, target_in_crop
from vis_pipeline.training.tracker.pairs import CropWindow, PairSampler, context_side
from vis_pipeline.training.tracker.settings import AugmentSettings, PairSettings, SourceSettings
from vis_pipeline.training.tracker.sources import FrameStore, read_training_set, with_crowds

PLAIN = AugmentSettings(
    exemplar_shift=0, exemplar_scale=0, search_shift=0, search_scale=0, refine_shift=0, refine_scale=(1, 1),
    flip=0, grey=0, blur=0, light=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    split, frames = write_split(tmp_path_factory.mktemp("split"))
    return read_training_set([SourceSettings(split, frames)])


def _draw(data, count, pairs, augment=PLAIN, seed=0):
    sampler = PairSampler(data, pairs, augment)
    rng = np.random.default_rng(seed)
    return [sampler.draw(rng) for _ in range(count)]


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


def test_drawing_depends_on_the_generator_alone(data):
    first, second = (_draw(data, 10, PairSettings(), AugmentSettings(), seed=3) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        one, other = dataclasses.asdict(one), dataclasses.asdict(other)
        assert one.pop("target_box").tolist() == other.pop("target_box").tolist()
        assert one == other


def test_context_of_a_square_doubles_its_side():
    assert context_side(40, 40) == pytest.approx(80)
    assert context_side(20, 60) == pytest.approx(np.sqrt(60 * 100))


def test_a_crop_of_the_frames_own_scale_is_the_frame_moved_by_whole_pixels():
    image = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    # A window of 127 pixels about x = 150 begins at round(150 - 128 / 2) = 86 in tracking.
    cut = cut_image(image, CropWindow(0, 0, 150, 100, 127, 127))
    assert np.array_equal(cut, image[36 : 36 + 127, 86 : 86 + 127])


def test_outside_of_the_frame_is_its_truncated_mean():
    image = np.full((50, 50, 3), (10, 20, 30), dtype=np.uint8)
    image[0, 0] = 0
    cut = cut_image(image, CropWindow(0, 0, 0, 0, 60, 127))
    assert cut[0, 0].tolist() == [9, 19, 29]


@pytest.mark.parametrize("flip", [False, True])
def test_a_mask_cut_for_stage_two_pastes_back_to_itself(flip):
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[30:60, 50:90] = True
    mask[40:44, 60:64] = False
    x, y, side = 68.3, 47.1, 70.0
    cut = cut_mask(mask, CropWindow(0, 0, x, y, side, 127), 0, flip)
    left = (WIDTH - x if flip else x) - side / 2
    square = torch.tensor([[left, y - side / 2, side]], dtype=torch.float64)
    pasted = paste(torch.from_numpy(cut.astype(np.float32))[None], square, (HEIGHT, WIDTH), 0.5)[0].numpy()
    wanted = mask[:, ::-1] if flip else mask
    assert np.logical_xor(pasted, wanted).sum() <= 40
    assert (pasted & wanted).sum() / (pasted | wanted).sum() > 0.96


def test_a_mask_window_of_a_response_position_pastes_back_to_itself():
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[30:60, 50:90] = True
    window = CropWindow(0, 0, 60.0, 50.0, 120.0, 255)
    row, column, scale = 12, 14, 120 / 255
    plane = cut_mask(mask, window, MASK_MARGIN)
    cut = plane[8 * row : 8 * row + 127, 8 * column : 8 * column + 127]
    left = window.x - window.side / 2 + (column - 4) * 8 * scale
    top = window.y - window.side / 2 + (row - 4) * 8 * scale
    square = torch.tensor([[left, top, 127 * scale]], dtype=torch.float64)
    pasted = paste(torch.from_numpy(cut.astype(np.float32))[None], square, (HEIGHT, WIDTH), 0.5)[0].numpy()
    assert (pasted & mask).sum() / (pasted | mask).sum() > 0.96


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


def test_box_in_a_crop_twice_as_fine_as_the_frame(data):
    pair = dataclasses.replace(
        _draw(data, 1, PairSettings(negatives=0))[0],
        search=CropWindow(0, 0, 50.0, 40.0, 127.5, 255),
        target_box=np.array([40.0, 40.0, 30.0, 10.0]),
    )
    assert target_in_crop(pair).tolist() == [127 + 10, 127 + 10, 60, 20]


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


def test_a_frame_of_another_size_is_named(tmp_path):
    split, frames = write_split(tmp_path, videos=1)
    (frames / "001" / "00002.png").write_bytes((frames / "001" / "00001.png").read_bytes())
    videos = read_training_set([SourceSettings(split, frames)]).videos
    store = FrameStore([dataclasses.replace(videos[0], width=WIDTH + 1)], 1)
    with pytest.raises(DataError, match=r"00002\.png: 128x96 pixels, the split says 129x96"):
        store.frame(0, 2)


def test_frames_beyond_the_memory_limit_are_still_read(data):
    store = FrameStore(data.videos, 1e-9)
    assert np.array_equal(store.frame(0, 0), store.frame(0, 0))


def test_sources_get_their_shares(tmp_path):
    parts = []
    for name, weight in (("one", 1.0), ("two", 3.0)):
        (tmp_path / name).mkdir()
        split, frames = write_split(tmp_path / name, videos=1)
        parts.append(SourceSettings(split, frames, weight))
    data = read_training_set(parts)
    assert data.weights.tolist() == pytest.approx([1 / 12] * 3 + [1 / 4] * 3)
    assert data.objects[0].category != data.objects[3].category


def test_a_split_without_annotations_cannot_be_trained_on(tmp_path):
    import json

    split, frames = write_split(tmp_path, videos=1)
    content = json.loads(split.read_text())
    del content["annotations"]
    split.write_text(json.dumps(content))
    with pytest.raises(DataError, match="no visible annotated object"):
        read_training_set([SourceSettings(split, frames)])


def test_masks_of_few_pixels_count_as_hidden(tmp_path):
    import json

    split, frames = write_split(tmp_path, videos=1)
    content = json.loads(split.read_text())
    speck = np.zeros((1, HEIGHT, WIDTH), dtype=np.bool_)
    speck[0, 5, 5:9] = True
    content["annotations"][0]["segmentations"][4] = masks.encode(speck)[0]
    split.write_text(json.dumps(content))
    assert 4 not in read_training_set([SourceSettings(split, frames)]).objects[0].visible
