"""Both ways of cutting pairs against the literal one, and the device's room for frames."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from crop_oracle import SIZES, image_pixel, mask_pixel, noise_set
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracker_scenes import settings_of

from vis_pipeline import masks
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.trackers.siammask.paste import paste
from vis_pipeline.training.tracker import device_crops
from vis_pipeline.training.tracker.crops import MASK_MARGIN, target_boxes
from vis_pipeline.training.tracker.device_crops import DeviceCutter
from vis_pipeline.training.tracker.feed import open_cutter
from vis_pipeline.training.tracker.frame_store import FrameStore
from vis_pipeline.training.tracker.host_crops import PairCutter
from vis_pipeline.training.tracker.looks import Looks, draw_looks
from vis_pipeline.training.tracker.pairs import CropWindow, Pair
from vis_pipeline.training.tracker.settings import AugmentSettings

CPU = torch.device("cpu")
KINDS = ("host", "device", "device without room")
QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return noise_set(tmp_path_factory.mktemp("noise"))


@pytest.fixture(scope="module")
def cutters(noise):
    """By kind; the second keeps all frames on its device, the third none."""
    store = FrameStore(noise.videos, 1)
    augment = AugmentSettings()
    return {
        "host": PairCutter(noise, store, augment),
        "device": DeviceCutter(noise, store, augment, CPU, 1),
        "device without room": DeviceCutter(noise, store, augment, CPU, 1e-9),
    }


def plain(count):
    ones = np.ones((count, 2, 3))
    return Looks(ones, 0 * ones, np.ones((count, 2), np.int64), np.zeros(count, np.bool_))


def pair_of(target, exemplar, search, second, flip=False, box=(10.0, 8.0, 20.0, 30.0)):
    return Pair(exemplar, search, second, target, True, np.array(box), flip)


places = st.floats(-20, 90)


@st.composite
def pairs(draw):
    target = draw(st.integers(0, 1))
    frame = draw(st.integers(0, target))
    windows = [
        CropWindow(video, at, draw(places), draw(places), draw(st.floats(3, 300)), size)
        for video, at, size in ((1 - target, 0, 127), (target, frame, 191), (target, frame, 127))
    ]
    return pair_of(target, *windows, flip=draw(st.booleans()))


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(chosen=st.lists(pairs(), min_size=1, max_size=3), seed=st.integers(0, 2**31))
def test_crops_are_those_of_the_literal_way(kind, noise, cutters, chosen, seed):
    rng = np.random.default_rng(seed)
    batch = cutters[kind].cut(chosen, plain(len(chosen)))
    # OpenCV looks up 32nds of a pixel: an error of 1/64 along each axis of noise that spans all levels.
    tolerance = 9 if kind == "host" else 0.51
    for row, pair in enumerate(chosen):
        crops = {"exemplar": batch.exemplars, "search": batch.searches, "second": batch.seconds}
        for name, crop in crops.items():
            window = getattr(pair, name)
            image = cv2.imread(str(noise.videos[window.video].paths[window.frame])).astype(float)
            for u, v in rng.integers(0, window.size, (12, 2)):
                wanted = image_pixel(image, window, pair.flip, u, v)
                assert np.abs(crop[row, :, v, u].numpy() - wanted).max() <= tolerance
        rle = noise.objects[pair.target].segmentations[pair.search.frame]
        width, height = SIZES[pair.target]
        mask = np.zeros((height, width)) if rle is None else masks.decode(rle)
        planes = ((batch.search_masks, pair.search, MASK_MARGIN), (batch.second_masks, pair.second, 0))
        for plane, window, margin in planes:
            for u, v in rng.integers(0, window.size + 2 * margin, (12, 2)):
                share = mask_pixel(mask, window, pair.flip, margin, u, v)
                if abs(share - 0.5) > 0.04:
                    assert bool(plane[row, v, u]) == (share > 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crop_of_the_frames_own_scale_is_the_frame_moved_by_whole_pixels(kind, noise, cutters):
    # A window of 127 pixels about (70, 60) begins at round(70 - 128 / 2) = 6 and at -4 in tracking.
    window = CropWindow(1, 0, 70.0, 60.0, 127, 127)
    pair = pair_of(1, window, dataclasses.replace(window, size=255), window)
    exemplar = cutters[kind].cut([pair], plain(1)).exemplars[0].permute(1, 2, 0).numpy()
    image = cv2.imread(str(noise.videos[1].paths[0]))
    width, height = SIZES[1]
    assert np.array_equal(exemplar[4 : 4 + height, : width - 6], image[:, 6:])


@pytest.mark.parametrize("kind", KINDS)
def test_outside_of_the_frame_is_its_truncated_mean(kind, noise, cutters):
    window = CropWindow(0, 0, -500.0, 0.0, 60, 127)
    batch = cutters[kind].cut([pair_of(0, window, dataclasses.replace(window, size=255), window)], plain(1))
    mean = cv2.imread(str(noise.videos[0].paths[0])).reshape(-1, 3).mean(0)
    assert batch.exemplars[0, :, 5, 5].tolist() == np.floor(mean).tolist()
    assert not batch.search_masks.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flip", [False, True])
def test_a_mask_cut_for_stage_two_pastes_back_to_itself(kind, flip, noise, cutters):
    mask = masks.decode(noise.objects[0].segmentations[0])
    width, height = SIZES[0]
    window = CropWindow(0, 0, 26.3, 19.1, 40.0, 127)
    pair = pair_of(0, window, dataclasses.replace(window, size=255), window, flip)
    cut = cutters[kind].cut([pair], plain(1)).second_masks.float()
    left = (width - window.x if flip else window.x) - window.side / 2
    square = torch.tensor([[left, window.y - window.side / 2, window.side]], dtype=torch.float64)
    pasted = paste(cut, square, (height, width), 0.5)[0].numpy()
    assert np.logical_xor(pasted, mask[:, ::-1] if flip else mask).sum() <= 12
    assert mask.sum() > 500


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_window_of_a_response_position_pastes_back_to_itself(kind, noise, cutters):
    mask = masks.decode(noise.objects[0].segmentations[0])
    width, height = SIZES[0]
    window = CropWindow(0, 0, 24.0, 22.0, 80.0, 255)
    second = CropWindow(0, 0, 24.0, 22.0, 80.0, 127)
    plane = cutters[kind].cut([pair_of(0, second, window, second)], plain(1)).search_masks[0].float()
    row, column, scale = 12, 14, window.side / 255
    left = window.x - window.side / 2 + (column - 4) * 8 * scale
    top = window.y - window.side / 2 + (row - 4) * 8 * scale
    square = torch.tensor([[left, top, 127 * scale]], dtype=torch.float64)
    pasted = paste(plane[None, 8 * row : 8 * row + 127, 8 * column : 8 * column + 127], square, (height, width), 0.5)
    assert np.logical_xor(pasted[0].numpy(), mask).sum() <= 12


def test_box_in_a_crop_twice_as_fine_as_the_frame():
    window = CropWindow(0, 0, 50.0, 40.0, 127.5, 255)
    plain_pair = pair_of(0, window, window, window, box=(40.0, 40.0, 30.0, 10.0))
    flipped = dataclasses.replace(plain_pair, flip=True)
    boxes = target_boxes([plain_pair, flipped]).tolist()
    assert boxes == [[127 + 10, 127 + 10, 60, 20], [127 - 10, 127 + 10, 60, 20]]


@pytest.mark.parametrize("kind", KINDS)
def test_looks_are_applied_in_their_order(kind, noise, cutters):
    window = CropWindow(1, 0, 22.0, 40.0, 50.0, 127)
    pair = pair_of(1, window, dataclasses.replace(window, size=191), window)
    cutter = cutters[kind]
    bare = cutter.cut([pair], plain(1))
    gains = np.array([[[1.1, 0.9, 1.0], [0.8, 1.2, 1.05]]])
    offsets = np.array([[[-30.0, 4.0, 20.5], [10.0, -12.0, 3.3]]])
    looks = Looks(gains, offsets, np.array([[3, 2]]), np.array([True]))
    changed = cutter.cut([pair], looks)
    for name, whose, box in (("exemplars", 0, (1, 1)), ("searches", 1, (3, 2)), ("seconds", 1, (3, 2))):
        levels = getattr(bare, name)[0].permute(1, 2, 0).numpy().astype(float)
        levels = np.clip(levels * gains[0, whose] + offsets[0, whose], 0, 255).astype(np.uint8)
        found = getattr(changed, name)[0].permute(1, 2, 0).numpy().astype(float)
        assert (found == found[..., :1]).all()
        for row, column in ((40, 50), (7, 90), (100, 3), (1, 1)):
            # An even box reaches further up and left.
            around = levels[row - box[1] // 2 :][: box[1], column - box[0] // 2 :][:, : box[0]].astype(float)
            blue, green, red = np.rint(around.reshape(-1, 3).mean(0))
            assert abs(found[row, column, 0] - (0.114 * blue + 0.587 * green + 0.299 * red)) <= 1.6


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_depends_on_its_pairs_and_the_generator_alone(kind, noise):
    store = FrameStore(noise.videos, 1)
    cutter = PairCutter(noise, store, AugmentSettings())
    if kind != "host":
        cutter = DeviceCutter(noise, store, AugmentSettings(), CPU, 1 if kind == "device" else 1e-9)
    windows = [CropWindow(1, frame, 30, 20, 40, 127) for frame in (0, 1)]
    chosen = [pair_of(1, one, dataclasses.replace(two, size=255), two) for one in windows for two in windows]
    first = cutter.batch(chosen, np.random.default_rng(3))
    cutter.batch(chosen[:1], np.random.default_rng(4))
    again = cutter.batch(chosen, np.random.default_rng(3))
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name)), name
    other = cutter.batch(chosen, np.random.default_rng(5))
    assert not torch.equal(first.exemplars, other.exemplars)


@pytest.mark.parametrize("size", [(1, 5), (4, 1), (5, 2), (2, 2)])
def test_the_batched_blur_is_opencvs(size):
    crops = np.random.default_rng(1).integers(0, 256, (2, 20, 20, 3)).astype(np.uint8)
    found = device_crops.box_blurred(torch.from_numpy(crops).float(), torch.tensor([size, (3, 3)]))
    for crop, box, blurred in zip(crops, (size, (3, 3)), found.numpy(), strict=True):
        assert np.abs(blurred - cv2.blur(crop.astype(np.float64), box)).max() <= 0.501
        assert np.abs(blurred - cv2.blur(crop, box)).max() <= 1


def test_looks_have_the_stated_shares():
    rng = np.random.default_rng(0)
    looks = draw_looks(4000, AugmentSettings(blur=0.18, grey=0.25, light=0.1), rng)
    assert looks.grey.mean() == pytest.approx(0.25, abs=0.03)
    assert (looks.blur.max(1) > 1).mean() == pytest.approx(0.18 * 24 / 25, abs=0.03)
    assert looks.blur.min() == 1 and looks.blur.max() == 5
    assert np.abs(looks.gains - 1).max() <= 0.1 * 4 / 3
    still = draw_looks(10, AugmentSettings(blur=0, grey=0, light=0), rng)
    assert (still.gains == 1).all() and not still.offsets.any() and (still.blur == 1).all() and not still.grey.any()


def test_frames_are_read_once_while_there_is_room_and_no_more_is_kept(noise, monkeypatch):
    read = []
    reading = FrameStore.read
    monkeypatch.setattr(FrameStore, "read", lambda self, *key: read.append(key) or reading(self, *key))
    whole = sum(len(video.paths) * video.width * video.height for video in noise.videos) * 3
    windows = [CropWindow(video, frame, 20, 20, 40, 127) for video, frame in ((0, 0), (1, 0), (1, 1))]
    chosen = [pair_of(0, window, windows[0], windows[0]) for window in windows]
    for gigabytes, times in ((1, 1), (0.75 * whole / 2**30, 2)):
        read.clear()
        store = FrameStore(noise.videos, 1e-9)
        cutter = DeviceCutter(noise, store, AugmentSettings(), CPU, gigabytes)
        batches = [cutter.cut(chosen, plain(3)) for _ in range(2)]
        assert torch.equal(batches[0].exemplars, batches[1].exemplars)
        assert {key: read.count(key) for key in read} == {(0, 0): 1, (1, 0): 1, (1, 1): times}
        held = cutter._frames._pixels.nbytes + cutter._patches._pixels.nbytes
        assert held <= gigabytes * 2**30


def test_frames_beyond_the_memory_limit_are_still_read(noise):
    store = FrameStore(noise.videos, 1e-9)
    assert np.array_equal(store.frame(1, 1), store.frame(1, 1))
    assert store.frame(1, 1) is not store.frame(1, 1)
    kept = FrameStore(noise.videos, 1)
    assert kept.frame(1, 1) is kept.frame(1, 1)


@pytest.mark.parametrize("kind", ["host", "device"])
def test_a_frame_of_another_size_is_named(kind, noise):
    wider = dataclasses.replace(noise.videos[0], width=61)
    data = dataclasses.replace(noise, videos=(wider, noise.videos[1]))
    store = FrameStore(data.videos, 1)
    cutter = (
        PairCutter(data, store, AugmentSettings())
        if kind == "host"
        else DeviceCutter(data, store, AugmentSettings(), CPU, 1)
    )
    window = CropWindow(0, 0, 20, 20, 40, 127)
    with pytest.raises(DataError, match=r"0_0\.png: 60x44 pixels, its source says 61x44"):
        cutter.cut([pair_of(0, window, window, window)], plain(1))


def test_the_cpu_cuts_with_opencv_and_other_devices_by_gathering(noise):
    assert isinstance(open_cutter(noise, settings_of(), CPU), PairCutter)
    assert isinstance(open_cutter(noise, settings_of(), torch.device("meta")), DeviceCutter)


def test_a_device_with_less_memory_than_asked_for_is_a_clear_error(noise, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 2000))
    with pytest.raises(ConfigError, match=r"pairs\.device_gigabytes = 2: cuda has 0\.0 GiB free"):
        DeviceCutter(noise, FrameStore(noise.videos, 1), AugmentSettings(), torch.device("cuda"), 2)
