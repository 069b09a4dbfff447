import json

import av
import cv2
import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.data.object_track import object_track
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.visualize.object_artist import ObjectArtist

HEIGHT, WIDTH, LENGTH = 400, 500, 3
GREY = 110


def _content(**changes):
    frames = []
    for index in range(LENGTH):
        mask = np.zeros((1, HEIGHT, WIDTH), bool)
        mask[0, 120:280, 100 + 20 * index : 250 + 20 * index] = True
        x = 90.0 + 20 * index
        diamond = [[x + 85, 90], [x + 200, 200], [x + 85, 310], [x - 30, 200]]
        entry = {"frame": f"{index}.png", "box": [x, 110, 170, 180], "score": 0.25 * (index + 1)}
        frames.append({**entry, "segmentation": masks.encode(mask)[0], "rotated_box": diamond})
    return {"frames": frames, **changes}


@pytest.fixture
def made(tmp_path):
    """A folder with `clip/` and `track.json`."""
    (tmp_path / "clip").mkdir()
    for index in range(LENGTH):
        cv2.imwrite(str(tmp_path / f"clip/{index}.png"), np.full((HEIGHT, WIDTH, 3), GREY, np.uint8))
    (tmp_path / "track.json").write_text(json.dumps(_content(source=str(tmp_path / "clip"))))
    return tmp_path


def _frame(index=0, height=HEIGHT, width=WIDTH):
    return Frame(1, index, f"{index}.png", np.full((height, width, 3), GREY, np.uint8))


def test_mask_boxes_and_score_are_drawn():
    frame = _frame(1)
    drawn = ObjectArtist(object_track(_content())).on_video(frame.image, frame, "frame 1").astype(int)
    assert (frame.image == GREY).all()
    inside = drawn[200, 200]
    assert inside[0] - inside[2] > 40
    # The state box's left edge is white, the rotated box's left corner yellow; nothing lies right of both.
    assert drawn[150, 109:112].min(axis=1).max() > 180
    corner = drawn[198:203, 80:84].reshape(-1, 3)
    assert (corner[:, 2] - corner[:, 0]).max() > 120
    assert (drawn[20:380, 330:] == GREY).all()
    # The score is above the boxes.
    assert (drawn[60:90, 70:] != GREY).any()


def test_everything_follows_the_size_of_the_picture():
    frame = _frame(1)
    small = cv2.resize(frame.image, (WIDTH // 2, HEIGHT // 2))
    drawn = ObjectArtist(object_track(_content())).on_tile(small, frame, "").astype(int)
    assert drawn[100, 100, 0] - drawn[100, 100, 2] > 40
    assert (drawn[10:190, 165:] == GREY).all()


def test_boxes_far_outside_are_drawn_as_far_as_they_are_inside():
    far = _content()
    far["frames"][0].update(
        box=[-1e12, -1e12, 2e12, 2e12], rotated_box=[[-1e300, 5], [1e300, 5], [1e300, 9], [5, 1e300]]
    )
    frame = _frame(0)
    drawn = ObjectArtist(object_track(far)).on_video(frame.image, frame, "")
    assert drawn.shape == frame.image.shape


def test_a_frame_that_could_not_be_read_has_no_boxes():
    image = np.full((HEIGHT, WIDTH, 3), 48, np.uint8)
    drawn = ObjectArtist(object_track(_content())).on_video(image, BadFrame(1, 1, "1.png", "damaged"), "lost")
    assert (drawn[:350] == 48).all() and (drawn[350:] != 48).any()


def test_a_file_is_drawn_beside_it(command, made):
    code, out, err = command("visualize", made / "track.json")
    assert code == 0, err
    assert {path.name for path in (made / "pictures").iterdir()} == {"clip.mp4", "clip.png"}
    assert str(made / "pictures/clip.mp4") in out
    with av.open(str(made / "pictures/clip.mp4")) as container:
        assert len(list(container.decode(video=0))) == LENGTH


def test_frames_given_take_the_place_of_the_files_own(command, made):
    (made / "clip").rename(made / "moved")
    code, _, err = command("visualize", made / "track.json")
    assert code == 2 and "there are no frames at" in err and "--frames" in err
    assert command("visualize", made / "track.json", "--frames", made / "moved", "--out", made / "seen")[0] == 0
    assert {path.name for path in (made / "seen").iterdir()} == {"moved.mp4", "moved.png"}


def test_a_lost_frame_is_grey(command, made):
    (made / "clip/1.png").write_bytes(b"")
    assert command("visualize", made / "track.json")[0] == 0


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda folder: (folder / "clip/0.png").rename(folder / "clip/00.png"), [], "the track has no such frame"),
        (
            lambda folder: cv2.imwrite(str(folder / "clip/0.png"), np.zeros((40, 50, 3), np.uint8)),
            [],
            "frame 0.png: is 50x40, but the track is of frames of 500x400",
        ),
        (lambda folder: (folder / "track.json").write_text(json.dumps(_content())), [], "give --frames"),
        (lambda folder: (folder / "track.json").write_text("[]"), [], "a list, not the track of one object"),
        (lambda folder: None, ["--videos", "1"], "--videos 1: "),
        (lambda folder: None, ["--score-thr", "0.5"], "--score-thr 0.5: "),
        (lambda folder: None, ["--split", "s.json"], "--split s.json: "),
    ],
)
def test_faults_are_one_line(command, made, change, arguments, message):
    change(made)
    code, _, err = command("visualize", made / "track.json", *arguments)
    assert code == 2
    assert message in err and len(err.strip().splitlines()) == 1
    assert not list(made.glob("pictures/*"))


def test_the_pictures_of_a_frame_alone_are_the_same_whatever_came_before():
    frames = [_frame(index) for index in range(LENGTH)]
    artist = ObjectArtist(object_track(_content()))
    for frame in frames:
        artist.on_video(frame.image, frame, "")
    alone = ObjectArtist(object_track(_content())).on_tile(frames[-1].image, frames[-1], "")
    np.testing.assert_array_equal(artist.on_tile(frames[-1].image, frames[-1], ""), alone)


def test_a_track_of_other_frames_says_which_frame(made):
    artist = ObjectArtist(object_track(_content()))
    frame = Frame(1, 0, "other.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    with pytest.raises(DataError, match=r"frame other\.png: the track has no such frame; its first is 0\.png"):
        artist.on_video(frame.image, frame, "")
