"""Where imported tracks go: a finished run's folder, or ground truth in YouTube-VIS's form."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vis_pipeline import __version__
from vis_pipeline.data.label_images import object_annotation
from vis_pipeline.data.splits import ANNOTATIONS, split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Notes, VideoTracks
from vis_pipeline.files.json_objects import write_json_object
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.lock import Claim, holding
from vis_pipeline.structures.splits import Annotation, Split
from vis_pipeline.structures.tracks import VideoOutcome

CONFIG_NAME, SPLIT_NAME = "config.json", "split.json"
CROWDS = "regions to be ignored are no results: they were left out"


def write_run(
    out: Path,
    found: Iterable[VideoTracks],
    split: Split,
    inputs: Mapping[str, Any],
    notes: Notes,
) -> tuple[int, int]:
    """Make a run folder of tracks that others have found; returns the number of tracks and of videos.

    `inputs` is its config: `imported` (what, and in which form), `split` and `frames`. It has no events: nobody knows
    how the tracks came about. Without `split` in the config, the folder gets a `split.json`.

    Raises:
        DataError: nothing can be written there, a run lies there, or what is read is at fault.
    """
    with holding(out) as claim:
        if (out / CONFIG_NAME).exists():
            raise DataError(f"run folder {out}: holds a run; give another --out, or remove the folder")
        try:
            return _fill(claim, found, split, inputs, notes)
        except BaseException:
            # What is half there would pass for the whole; what lies there if it was moved is not ours.
            claim.require()
            for path in [*(out / "videos").glob("*.json"), out / CONFIG_NAME, out / SPLIT_NAME]:
                path.unlink(missing_ok=True)
            raise


def _fill(
    claim: Claim, found: Iterable[VideoTracks], split: Split, inputs: Mapping[str, Any], notes: Notes
) -> tuple[int, int]:
    out, config = claim.folder, {"split": SPLIT_NAME, **inputs}
    if config["split"] == SPLIT_NAME:
        write_text(out / SPLIT_NAME, json.dumps(split_to_json(replace(split, annotations=None))))
    text = json.dumps({"version": __version__, **config}, sort_keys=True)
    folder = RunFolder.create(out, config, hashlib.sha256(text.encode()).hexdigest()[:16], claim=claim)
    tracks = videos = 0
    for of_video in found:
        notes.say(CROWDS, len(of_video.crowds))
        results = [track for place, track in enumerate(of_video.tracks) if place not in of_video.crowds]
        video = of_video.video
        folder.write_video(video.id, VideoOutcome(results, video.length, video.height, video.width, {}, events=None))
        tracks += len(results)
        videos += 1
    folder.assemble_results(video.id for video in split.videos)
    return tracks, videos


def write_truth(out: Path, found: Iterable[VideoTracks], split: Split) -> tuple[int, int]:
    """Write an `instances.json` of all of the split's videos; returns the number of objects and of videos that had any.

    What is to be ignored is `iscrowd`; areas are those of the masks. Scores are left out.

    Raises:
        DataError: nothing can be written there, or what is read is at fault.
    """
    written = _Truth(found, split)
    head = split_to_json(replace(split, annotations=None))
    write_json_object(out, head, {ANNOTATIONS: written.entries()})
    return written.objects, written.videos


class _Truth:
    """Annotations in JSON form, counted as they are made."""

    def __init__(self, found: Iterable[VideoTracks], split: Split) -> None:
        self._found, self._split = found, split
        self.objects = self.videos = 0

    def entries(self) -> Iterator[dict[str, Any]]:
        for of_video in self._found:
            self.videos += 1
            for place in range(len(of_video.tracks)):
                self.objects += 1
                part = Split((of_video.video,), self._split.categories, (self._annotation(of_video, place),))
                yield from split_to_json(part)[ANNOTATIONS]

    def _annotation(self, of_video: VideoTracks, place: int) -> Annotation:
        if of_video.annotations is not None:
            return of_video.annotations[place]
        track = of_video.tracks[place]
        made = object_annotation(self.objects, of_video.video, track.category_id, tuple(track.segmentations))
        return replace(made, iscrowd=place in of_video.crowds)
