"""A finished run as a dataset of FiftyOne."""

from collections.abc import Iterator, Sequence
from typing import Any

from vis_pipeline.bridges.extras import extra
from vis_pipeline.bridges.finished import FinishedRun
from vis_pipeline.data.frames import ImageFrames, VideoFrames
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.structures.tracks import FrameTracks, MaskState

TRACKS, VIDEO, VIDEO_ID, FRAME = "tracks", "video", "video_id", "frame"


def make_dataset(run: FinishedRun, name: str, video_ids: Sequence[int]) -> int:
    """Make a dataset that stays; how many samples it has.

    A frame that is an image file is a sample, with the fields `video` (its name), `video_id`, `frame` (from 0) and
    `tracks`; `dataset.group_by("video", order_by="frame")` plays them as videos. A video file is one sample, whose
    frames, which FiftyOne counts from 1, have `tracks`. A track in a frame is a detection with its mask: `label` is the
    class's name, `index` the track's among the video's results, `confidence` the whole track's score, `state`
    `detected` or `predicted`. The frames stay where they are.

    Raises:
        ConfigError: FiftyOne is not installed, its database does not start, or it has a dataset of this name.
        DataError: a video is damaged, or its frames cannot be read.
    """
    fiftyone = extra("fiftyone", "fiftyone")
    try:
        taken = fiftyone.dataset_exists(name)
    except Exception as error:
        # What it raises where its database is missing or does not start has no class in common.
        raise ConfigError(f"fiftyone: its database does not answer ({error}); see docs/bridges.md") from error
    if taken:
        raise ConfigError(f"fiftyone: there is a dataset {name!r} already; give another name")
    dataset = fiftyone.Dataset(name)
    try:
        for video_id in video_ids:
            dataset.add_samples(list(_samples(fiftyone, run, video_id)), progress=False)
        dataset.persistent = True
    except BaseException:
        dataset.delete()
        raise
    return len(dataset)


def _samples(fiftyone: Any, run: FinishedRun, video_id: int) -> Iterator[Any]:
    """The samples of one video."""
    source, name = run.open(video_id).source, run.name(video_id)
    facts = {VIDEO: name, VIDEO_ID: video_id}
    if isinstance(source, VideoFrames):
        sample = fiftyone.Sample(filepath=str(source.path.resolve()), **facts)
        for frame, tracks in run.frames(video_id):
            sample.frames[frame.index + 1] = fiftyone.Frame(**{TRACKS: _detections(fiftyone, run, tracks)})
        yield sample
        return
    if not isinstance(source, ImageFrames):
        raise DataError(f"video {name}: its frames are no files, which FiftyOne needs")
    for frame, tracks in run.frames(video_id):
        where = {"filepath": str(source.paths[frame.index].resolve()), FRAME: frame.index}
        yield fiftyone.Sample(**where, **facts, **{TRACKS: _detections(fiftyone, run, tracks)})


def _detections(fiftyone: Any, run: FinishedRun, tracks: FrameTracks) -> Any:
    height, width = tracks.size
    detections = []
    for row, (number, label, (x, y), mask) in enumerate(
        zip(tracks.ids.tolist(), tracks.labels.tolist(), tracks.corners.tolist(), tracks.masks, strict=True)
    ):
        rows, columns = mask.shape
        detections.append(
            fiftyone.Detection(
                label=run.class_names.get(label, f"class {label}"),
                bounding_box=[x / width, y / height, columns / width, rows / height],
                mask=mask,
                confidence=float(tracks.scores[row]),
                index=number,
                state=MaskState(tracks.states[row]).name.lower(),
            )
        )
    return fiftyone.Detections(detections=detections)
