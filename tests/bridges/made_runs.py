"""Run folders written by hand: a video of four frames, 12 x 16, with three tracks, two of which overlap."""

import json
from pathlib import Path

import av
import cv2
import numpy as np

from vis_pipeline import masks
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

HEIGHT, WIDTH, LENGTH, VIDEO_ID = 12, 16, 4, 7
NAME = "a b<c>"
CATEGORIES = (Category(3, "cat"), Category(5, "<b>dog</b>\n日本"))
# x1, y1, x2, y2 in frame 0, moving right by a pixel a frame; score, category, frames, predicted frames.
TRACKS = [
    ((1, 1, 6, 7), 0.5, 3, {0, 1, 2}, {2}),
    ((3, 4, 9, 10), 0.75, 5, {0, 1, 3}, set()),
    ((0, 0, 1, 1), 0.25, 3, set(), set()),
]


def dense() -> np.ndarray:
    """Bool [track, frame, H, W]."""
    all_masks = np.zeros((len(TRACKS), LENGTH, HEIGHT, WIDTH), dtype=bool)
    for track, ((x1, y1, x2, y2), _, _, frames, _) in enumerate(TRACKS):
        for frame in frames:
            all_masks[track, frame, y1:y2, x1 + frame : x2 + frame] = True
    return all_masks


def image(frame: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), 40 * frame + 20, dtype=np.uint8)


def outcome() -> VideoOutcome:
    tracks, events = [], []
    for track, (_, score, category, frames, predicted) in enumerate(TRACKS):
        rles = [masks.encode(dense()[track, frame][None])[0] if frame in frames else None for frame in range(LENGTH)]
        tracks.append(TrackResult(VIDEO_ID, category, score, tuple(rles)))
        events += [{"frame": frame, "kind": "predicted", "track": track} for frame in predicted]
        events.append({"frame": LENGTH - 1, "kind": "reported", "track": track, "reason": f"result {track}"})
    return VideoOutcome(tracks, LENGTH, HEIGHT, WIDTH, {"detect": 1.0}, events=events)


def run_of_images(folder: Path) -> Path:
    """A run on a split whose frames are PNGs, one every half a second."""
    (folder / "frames" / NAME).mkdir(parents=True)
    names = tuple(f"{NAME}/{frame:05}.png" for frame in range(LENGTH))
    for frame, name in enumerate(names):
        cv2.imwrite(str(folder / "frames" / name), image(frame))
    times = tuple(frame / 2 for frame in range(LENGTH))
    split = Split((Video(VIDEO_ID, WIDTH, HEIGHT, LENGTH, names, times),), CATEGORIES, None)
    (folder / "instances.json").write_text(json.dumps(split_to_json(split)))
    config = {"split": str(folder / "instances.json"), "frames": str(folder / "frames")}
    return written(folder / "run", config)


def run_of_a_clip(folder: Path) -> Path:
    """A run on a video file, ten frames a second."""
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        for frame in range(LENGTH):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image(frame), format="bgr24")))
        container.mux(stream.encode())
    names = tuple(f"clip/{frame:05}.jpg" for frame in range(LENGTH))
    run = written(folder / "run", {"split": "split.json", "video": str(folder / "clip.mp4")})
    split = Split((Video(VIDEO_ID, WIDTH, HEIGHT, LENGTH, names),), CATEGORIES, None)
    (run / "split.json").write_text(json.dumps(split_to_json(split)))
    return run


def written(run: Path, config: dict[str, str]) -> Path:
    folder = RunFolder.create(run, config, "abc")
    folder.write_video(VIDEO_ID, outcome())
    folder.assemble_results([VIDEO_ID])
    return run
