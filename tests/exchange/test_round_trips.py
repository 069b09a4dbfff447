"""Written and read again, masks are the same bit for bit, where no two tracks share a pixel in exclusive forms."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from exchange_scenes import as_sets, block, dense, exclusive_scenes, notes, results, track, truth, video
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vis_pipeline import masks
from vis_pipeline.exchange.content import SplitTracks, VideoTracks
from vis_pipeline.exchange.forms import FORMS, conventions
from vis_pipeline.exchange.outlines import flat, joined, polygons

WITH_MASKS = [name for name in FORMS if name != "mot-txt"]
EXCLUSIVE = ["mots-txt", "mots-png", "davis"]


@contextmanager
def there_and_back(
    form: str, content: SplitTracks, first_frame: int | None = None
) -> Iterator[tuple[Path, list[VideoTracks]]]:
    rules = conventions(form, first_frame)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        FORMS[form].write(out, content, rules, notes())
        yield out, list(FORMS[form].read(out, content.split, rules, notes()))


@pytest.mark.parametrize("form", WITH_MASKS)
@settings(max_examples=6)
@given(found=exclusive_scenes())
def test_results_come_back(form: str, found: list[VideoTracks]) -> None:
    with there_and_back(form, results(found)) as (_, back):
        assert as_sets(back) == as_sets(found)


@pytest.mark.parametrize("form", ["coco", "cocovid"])
@settings(max_examples=5)
@given(found=exclusive_scenes())
def test_coco_describes_its_videos_itself(form: str, found: list[VideoTracks]) -> None:
    content = results(found)
    with there_and_back(form, content) as (out, _):
        assert FORMS[form].described_split(out) == content.split


@pytest.mark.parametrize("form", [name for name in WITH_MASKS if name not in EXCLUSIVE])
def test_overlaps_holes_and_parts_come_back(form: str) -> None:
    place = video(1, 2)
    ring = block(2, 2, 12, 11) & ~block(5, 5, 9, 8)
    corners = block(0, 0, 1, 1) | block(1, 1, 2, 2) | block(15, 11, 16, 12)
    found = [VideoTracks(place, [track(place, [ring, None], 0.75), track(place, [corners, ring | corners], 0.25, 2)])]
    with there_and_back(form, results(found)) as (_, back):
        assert as_sets(back) == as_sets(found)


@pytest.mark.parametrize("form", WITH_MASKS)
def test_ground_truth_comes_back(form: str) -> None:
    place = video(1, 3)
    objects = [
        track(place, [block(0, 0, 4, 4), None, block(2, 2, 6, 6)], 1.0),
        track(place, [None, block(8, 2, 9, 9), None], 1.0, 40),
    ]
    content = truth([VideoTracks(place, objects)])
    with there_and_back(form, content) as (_, back):
        assert as_sets(back) == as_sets(content.tracks)


@pytest.mark.parametrize("form", ["youtube-vis", "coco", "cocovid", "cvat", "labelme", "csv", "mot-txt"])
def test_what_is_to_be_ignored_comes_back(form: str) -> None:
    place = video(1, 1)
    content = truth(
        [
            VideoTracks(
                place, [track(place, [block(0, 0, 4, 4)], 1.0), track(place, [block(6, 6, 9, 9)], 1.0)], frozenset({1})
            )
        ]
    )
    with there_and_back(form, content) as (_, back):
        assert as_sets(back) == as_sets(content.tracks)


@pytest.mark.parametrize("first_frame", [0, 1])
@pytest.mark.parametrize("form", ["mots-txt", "mots-png", "mot-txt"])
def test_frames_are_numbered_as_asked(form: str, first_frame: int) -> None:
    place = video(1, 2)
    found = [VideoTracks(place, [track(place, [None, block(1, 2, 5, 9)])])]
    with there_and_back(form, results(found), first_frame) as (out, back):
        assert as_sets(back) == as_sets(found)
        if form == "mots-png":
            names = [path.name for path in sorted((out / "instances/clip1").iterdir())]
            assert names == [f"{first_frame:06d}.png", f"{first_frame + 1:06d}.png"]
        else:
            line = (out / "clip1.txt").read_text()
            assert line.replace(",", " ").split()[0] == str(first_frame + 1)


def test_boxes_come_back_as_rectangles() -> None:
    place = video(1, 2)
    slanted = np.tri(12, 16, dtype=bool)
    found = [VideoTracks(place, [track(place, [slanted, block(3, 4, 5, 6)], 0.25, 2)])]
    with there_and_back("mot-txt", results(found)) as (_, back):
        (entry,) = back[0].tracks
        assert (entry.category_id, entry.score) == (2, 0.25)
        first, second = dense(entry)
        assert (first == block(0, 0, 12, 12)).all()
        assert (second == block(3, 4, 5, 6)).all()


@settings(max_examples=60)
@given(arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14))))
def test_polygons_are_their_masks(mask: np.ndarray) -> None:
    rings = polygons(mask)
    if not mask.any():
        assert rings == []
        return
    height, width = mask.shape
    parts = [masks.decode(masks.from_segmentation(flat([ring]), height, width)) for ring in rings]
    # Each is one part, and they share no pixel.
    assert (np.sum(parts, axis=0) == mask).all()
    assert (masks.decode(masks.from_segmentation(flat([joined(rings)]), height, width)) == mask).all()


def test_a_polygon_of_a_ring_has_one_seam() -> None:
    ring = block(2, 2, 12, 11) & ~block(5, 5, 9, 8)
    (outline,) = polygons(ring)
    assert len(outline) == 4 + 4 + 2
    assert len(set(outline)) == 8
