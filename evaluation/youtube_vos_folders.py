"""Folders of YouTube-VOS: results against a set whose ground truth is at hand, as the training set's is."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.youtube_vos import ObjectMeasures, YouTubeVosScores, video_measures, youtube_vos_scores
from vis_pipeline.data.label_images import read_stored
from vis_pipeline.data.listings import subfolders
from vis_pipeline.data.sequence_names import listed_names
from vis_pipeline.data.youtube_vos import Objects, mask_paths, read_meta
from vis_pipeline.errors import DataError

ANNOTATIONS = "Annotations"


def folder_scores(
    results: Path, truth: Path, wanted: Sequence[str] | None = None, seen: frozenset[str] | None = None
) -> YouTubeVosScores:
    """Score `<video>/<frame>.png` in a folder of results, or in its `Annotations`, as a zip for the server has them.

    Args:
        results: the folder.
        truth: a set: `meta.json` and `Annotations/<video>/<frame>.png`.
        wanted: the videos; all of `meta.json` without it. One that cannot be scored is left out.
        seen: the classes of the training set.

    Raises:
        DataError: a folder or `meta.json` cannot be used, or no video at all can be scored.
    """
    meta = read_meta(truth / "meta.json")
    if (results / ANNOTATIONS).is_dir():
        results = results / ANNOTATIONS
    for folder in (results, truth / ANNOTATIONS):
        if not folder.is_dir():
            raise DataError(f"{folder}: not a folder")
    predicted = {folder.name: folder for folder in subfolders(results)}
    annotated = {folder.name: folder for folder in subfolders(truth / ANNOTATIONS)}
    videos: dict[str, tuple[ObjectMeasures, ...]] = {}
    left_out: dict[str, str] = {}
    for name in sorted(meta) if wanted is None else wanted:
        try:
            for kind, there in ((truth / "meta.json", meta), (truth / ANNOTATIONS, annotated), (results, predicted)):
                if name not in there:
                    raise DataError(f"{kind} has no video of that name")
            videos[name] = _measures(meta[name], annotated[name], predicted[name])
        except DataError as error:
            left_out[name] = str(error)
    if not videos:
        first = next(iter(left_out))
        raise DataError(f"none of {len(left_out)} videos can be scored; {first}: {left_out[first]}")
    return youtube_vos_scores(videos, left_out, seen)


def has_truth(truth: Path) -> bool:
    """Whether some video of a set has more masks than those in which its objects begin.

    Raises:
        DataError: `meta.json` cannot be read.
    """
    meta = read_meta(truth / "meta.json")
    there = subfolders(truth / ANNOTATIONS) if (truth / ANNOTATIONS).is_dir() else []
    return any(len(list(folder.glob("*.png"))) > _most_beginnings(meta.get(folder.name, {})) for folder in there)


def _most_beginnings(objects: Objects) -> int:
    """In how many frames objects begin at most: each in one of its own where none is listed."""
    listed = {entry.frames[0] for entry in objects.values() if entry.frames}
    return len(listed) + sum(not entry.frames for entry in objects.values())


def seen_classes(path: Path) -> frozenset[str]:
    """The classes of a training set's `meta.json`, or those of a text file, one a line.

    Raises:
        DataError: the file cannot be read.
    """
    if path.suffix == ".json":
        return frozenset(entry.category for objects in read_meta(path).values() for entry in objects.values())
    return frozenset(listed_names(path))


def _measures(objects: Objects, annotated: Path, predicted: Path) -> tuple[ObjectMeasures, ...]:
    paths = mask_paths(annotated, objects)
    truths = [_labels(path, objects) for path in paths]
    spans = {number: _span(number, objects, paths, truths) for number in objects}

    def frames() -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
        for position, (path, truth) in enumerate(zip(paths, truths, strict=True)):
            if any(position in span for span in spans.values()):
                prediction = _labels(predicted / path.name, objects)
                if prediction.shape != truth.shape:
                    raise DataError(
                        f"mask {predicted / path.name}: is {_size(prediction)}, the true mask is {_size(truth)}"
                    )
                yield position, prediction, truth

    return video_measures(frames(), spans, {number: entry.category for number, entry in objects.items()})


def _span(number: int, objects: Objects, paths: Sequence[Path], truths: Sequence[NDArray[np.uint8]]) -> range:
    """The positions of the masks that count for an object: after its first frame, up to its last."""
    places = {path.stem: position for position, path in enumerate(paths)}
    listed = [places[frame] for frame in objects[number].frames if frame in places]
    if listed:
        return range(listed[0] + 1, max(listed) + 1)
    shown = [position for position, truth in enumerate(truths) if (truth == number).any()]
    if not shown:
        raise DataError(f"object {number} of meta.json: no pixel in any true mask")
    return range(shown[0] + 1, len(paths))


def _labels(path: Path, objects: Mapping[int, object]) -> NDArray[np.uint8]:
    try:
        labels, _ = read_stored(path)
    except DataError as error:
        raise DataError(f"mask {path}: {error}") from error
    unknown = [int(number) for number in np.unique(labels) if number and number not in objects]
    if unknown:
        raise DataError(f"mask {path}: holds object {unknown[0]}, which meta.json lacks")
    return labels


def _size(labels: NDArray[np.uint8]) -> str:
    return f"{labels.shape[1]}x{labels.shape[0]}"
