"""Runs of a few rectangles, written as a run writes them, with names that would be markup if they could."""

import json
from pathlib import Path

import cv2
import numpy as np

from vis_pipeline.masks import encode
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.trackers.lifecycle.events import Event, EventKind

HEIGHT, WIDTH, LENGTH = 48, 65, 12
HASH = 'ha"sh</script>'
MARKUP = "<script>window.harmed=1</script>"
RIGHT_TO_LEFT = "\u202eabc\u05d0"
BREAKS = "line\nbreak\u2028\"quoted'</script><img src=x onerror=window.harmed=1>"
LONG = "n" * 250 + "\u00e9x"
CATEGORIES = (Category(1, MARKUP), Category(2, BREAKS), Category(7, RIGHT_TO_LEFT), Category(2**60 + 1, LONG))
SETTINGS = {"tracking": {"birth_score": 0.25, "match_iou": 0.3, "belief": {"score": 0.2}}}


def box(left, top=10, width=20, height=20):
    mask = np.zeros((1, HEIGHT, WIDTH), bool)
    mask[0, top : top + height, max(left, 0) : left + width] = True
    return encode(mask)[0]


def moving(frames, start=2, step=2, **sides):
    """A mask in each of these frames, moving to the right."""
    return tuple(box(start + step * index, **sides) if index in frames else None for index in range(LENGTH))


def video(identifier, folder):
    return Video(identifier, WIDTH, HEIGHT, LENGTH, tuple(f"{folder}/{index:05d}.png" for index in range(LENGTH)))


def tracks_of(video_id):
    """One object found by two tracks in turn, one beside everything, and one that does not count."""
    return [
        TrackResult(video_id, 1, 0.6, moving(range(5))),
        TrackResult(video_id, 1, 0.9, moving(range(6, LENGTH))),
        TrackResult(video_id, 7, 0.4, moving(range(3, 8), start=1, step=0, top=34, height=12)),
        TrackResult(video_id, 2, 0.05, moving((2, 3), start=44, step=0, width=8)),
    ]


def events():
    told = [Event(0, EventKind.BORN, 0, 0, score=0.91)]
    told += [Event(frame, EventKind.MATCHED, 0, 0, 0.8, "masks", 0.5 + frame / 10) for frame in (1, 2)]
    told += [Event(frame, EventKind.PREDICTED, 0, score=0.4) for frame in (3, 4)]
    told += [Event(5, EventKind.HIDDEN, 0, reason="score", score=0.12), Event(5, EventKind.LOST, 0)]
    told += [Event(4, EventKind.REFUSED, None, 3, None, "weak", 0.11)]
    told += [Event(6, EventKind.BORN, 1, 0, score=0.77)]
    told += [Event(frame, EventKind.MATCHED, 1, 0, 0.9, "masks", 0.95) for frame in range(7, LENGTH)]
    told += [Event(3, EventKind.BORN, 2, 1, score=0.5)]
    told += [Event(8, EventKind.BORN, 9, 2, score=0.3), Event(9, EventKind.HIDDEN, 9, reason="empty")]
    told += [Event(LENGTH - 1, EventKind.DROPPED, 9, reason="too few detections, or none that is sure")]
    told += [Event(LENGTH - 1, EventKind.REPORTED, number, reason=f"result {number}") for number in (0, 1, 2)]
    return [event.to_json() for event in sorted(told, key=lambda event: event.frame)]


def truths_of(video_id, first_id):
    return [
        Annotation(first_id, video_id, 1, moving(range(LENGTH)), None, False),
        Annotation(
            first_id + 1, video_id, 2, moving(range(4), start=40, step=0, top=30, width=15, height=10), None, False
        ),
    ]


def write_frames(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(LENGTH):
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        # The number of the frame as a bar of 16 grey levels apart from each other, to be read back from the video.
        image[:, :8] = 16 * index
        cv2.imwrite(str(folder / f"{index:05d}.png"), image)


def write_run(place: Path, names=((3, "clip"), (4, "<b>other</b>")), finished=None):
    """A split with frames, and a run of those of its videos that are `finished` (default: all); the run's folder."""
    videos = [video(identifier, name) for identifier, name in names]
    for each in videos:
        write_frames(place / "frames" / each.name)
    annotations = [entry for each in videos for entry in truths_of(each.id, 10 * each.id)]
    write_split(place / "instances.json", Split(tuple(videos), CATEGORIES, tuple(annotations)))
    config = {"split": str(place / "instances.json"), "frames": str(place / "frames"), "pipeline": SETTINGS}
    run = RunFolder.create(place / "run", config, HASH)
    for each in videos:
        if finished is None or each.id in finished:
            outcome = VideoOutcome(tracks_of(each.id), LENGTH, HEIGHT, WIDTH, {}, notes=(MARKUP,), events=events())
            run.write_video(each.id, outcome)
    return place / "run"


def write_split(path, split):
    path.write_text(
        json.dumps(
            {
                "videos": [
                    {
                        "id": each.id,
                        "width": each.width,
                        "height": each.height,
                        "length": each.length,
                        "file_names": list(each.file_names),
                    }
                    for each in split.videos
                ],
                "categories": [{"id": category.id, "name": category.name} for category in split.categories],
                "annotations": [
                    {
                        "id": entry.id,
                        "video_id": entry.video_id,
                        "category_id": entry.category_id,
                        "segmentations": list(entry.segmentations),
                        "areas": None,
                        "iscrowd": int(entry.iscrowd),
                    }
                    for entry in split.annotations or ()
                ],
            }
        )
    )


def data_of(path):
    """What a data file hands over."""
    text = path.read_text(encoding="ascii")
    assert text.startswith("visReport(") and text.endswith(");\n")
    return json.loads(text[len("visReport(") : -len(");\n")])
