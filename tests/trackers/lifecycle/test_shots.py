"""When a video is cut, and when it is cut back."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.torch import load, save

from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.shots import Shots, Signature, likeness, no_shots, signature

FRAMES = Path(__file__).resolve().parents[3].parent / "shared/data/davis2016_train/frames"
CUT = TrackingSettings().shots.cut_likeness


def by_counting(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The common part of two small frames' colours, cell by cell, pixel by pixel."""
    counts: list[dict[tuple[int, ...], int]] = [{}, {}]
    height, width = one.shape[:2]
    for found, image in zip(counts, (one, other), strict=True):
        for y in range(height):
            for x in range(width):
                key = (4 * y // height, 4 * x // width, *(int(value) // 32 for value in image[y, x]))
                found[key] = found.get(key, 0) + 1
    pixels = height * width
    return sum((counts[0][key] / pixels * counts[1].get(key, 0) / pixels) ** 0.5 for key in counts[0])


def scene(seed: int, size: tuple[int, int] = (90, 160)) -> NDArray[np.uint8]:
    """A picture of coarse patches."""
    patches = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(patches, size[::-1], interpolation=cv2.INTER_NEAREST))


@given(st.integers(0, 99), st.integers(5, 30), st.integers(5, 30), st.integers(1, 255))
def test_colours_are_compared_where_they_lie(seed: int, height: int, width: int, levels: int) -> None:
    images = np.random.default_rng(seed).integers(0, levels, (2, height, width, 3), dtype=np.uint8)
    # Without a layout it is the colours alone.
    one, other = (Signature(signature(image).colours, np.zeros(0, dtype=np.float32)) for image in images)
    assert likeness(one, other) == pytest.approx(by_counting(*images), abs=1e-5)
    assert likeness(one, one) == pytest.approx(1, abs=1e-5)


def test_a_frame_is_like_itself_in_other_light_and_unlike_its_negative() -> None:
    picture = scene(1)
    darker = (picture * 0.5).astype(np.uint8)
    assert likeness(signature(picture), signature(darker)) > 0.99
    assert likeness(signature(picture), signature(255 - picture)) < 0.4
    assert likeness(signature(picture), signature(scene(2))) < 0.4
    grey, white = (np.full((20, 30, 3), value, dtype=np.uint8) for value in (90, 250))
    assert likeness(signature(grey), signature(grey)) == pytest.approx(1)
    assert likeness(signature(grey), signature(white)) == 0


def test_the_size_of_a_frame_says_little_of_it() -> None:
    small, large = signature(scene(1)), signature(scene(1, (1080, 1920)))
    assert likeness(small, large) > 0.95


def numbers(frames: Sequence[int], needed: set[int]) -> list[int]:
    """The shot of each frame, which are those of `scene`; 9 is a white one."""
    shots, found = no_shots(), []
    for frame in frames:
        image = np.full((90, 160, 3), 255, dtype=np.uint8) if frame == 9 else scene(frame)
        shots = shots.at(signature(image), needed, CUT)
        found.append(shots.current)
    return found


def test_a_cut_begins_a_shot_and_a_cut_back_goes_on_with_it() -> None:
    assert numbers([1, 1, 2, 2, 1, 2, 3, 1], {0, 1, 2}) == [0, 0, 1, 1, 0, 1, 2, 0]
    assert numbers([1, 1, 9, 1, 1], {0}) == [0, 0, 1, 0, 0]
    # A shot that no live track belongs to is nobody's: there is no way back to it.
    assert numbers([1, 2, 1], set()) == [0, 1, 2]


def test_a_shot_is_what_its_last_frame_is() -> None:
    """It turns from one scene to another in steps, and is found again by where it was left."""
    steps = [(scene(1) * (1 - part) + scene(2) * part).astype(np.uint8) for part in np.linspace(0, 1, 9)]
    shots = no_shots()
    for image in steps:
        shots = shots.at(signature(image), {0}, CUT)
    assert shots.current == 0
    left = shots.at(signature(scene(3)), {0}, CUT)
    assert left.current == 1
    assert left.at(signature(scene(2)), {0}, CUT).current == 0
    assert left.at(signature(scene(1)), {0}, CUT).current == 2


def test_likeness_0_makes_no_cuts() -> None:
    shots = no_shots().at(signature(scene(1)), {0}, 0)
    assert shots.at(signature(np.zeros((90, 160, 3), dtype=np.uint8)), {0}, 0).current == 0


def test_shots_go_on_from_tensors() -> None:
    shots = no_shots()
    for frame in (1, 2, 3, 2):
        shots = shots.at(signature(scene(frame)), {0, 1, 2}, CUT)
    again = Shots.from_tensors(shots.current, load(save(shots.to_tensors())))
    assert again.current == shots.current == 1 and list(again.last) == list(shots.last)
    for shot, seen in shots.last.items():
        for name in ("colours", "layout"):
            np.testing.assert_array_equal(getattr(again.last[shot], name), getattr(seen, name), strict=True)
    assert torch.equal(again.to_tensors()["shots"], torch.tensor([0, 1, 2]))


@pytest.mark.shared
def test_real_shots_are_whole_and_the_cuts_between_them_are_found() -> None:
    if not FRAMES.is_dir():
        pytest.skip(f"needs the DAVIS-2016 frames in {FRAMES}")
    sequences = {folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(FRAMES.iterdir())}

    def seen(path: Path) -> Signature:
        return signature(np.asarray(cv2.imread(str(path))))

    for fastest in ("motocross-bumps", "dog-agility", "bmx-bumps"):
        frames = [seen(path) for path in sequences[fastest]]
        assert min(map(likeness, frames, frames[1:])) > 0.9
    ends = {name: (seen(frames[0]), seen(frames[-1])) for name, frames in sequences.items()}
    cuts = [likeness(ends[a][1], ends[b][0]) for a in ends for b in ends if a != b]
    assert sum(value < CUT for value in cuts) >= 0.99 * len(cuts) > 800
