"""DAVIS-style folders of masks and the tracks of a run, as the label maps that :mod:`evaluation.davis` scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from evaluation.davis import (
    MOST_PROPOSALS,
    DavisScores,
    Form,
    LabelledSequence,
    SequenceScores,
    gathered_scores,
    scored_frames,
    sequence_scores,
)
from vis_pipeline import masks
from vis_pipeline.data.davis import label_maps
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.label_images import read_stored
from vis_pipeline.data.sequence_names import require_all
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Split, Video
from vis_pipeline.structures.tracks import TrackResult


def folder_sequences(results: Path, masks_dir: Path, names: Sequence[str], form: Form) -> Iterator[LabelledSequence]:
    """Predictions in `results/<sequence>/*.png`, named as the true masks in `masks_dir`; read one sequence at a time.

    Masks are palette-indexed or grey, or black and white for a single object. Frames that the form leaves out need no
    prediction.

    Raises:
        DataError: a sequence or a frame's mask is missing, cannot be read, or has another size.
    """
    if not results.is_dir():
        raise DataError(f"results {results}: not a folder")
    some = "; to score only some sequences, name them in a file for --sequences"
    require_all(names, {name for name in names if (results / name).is_dir()}, f"results {results}", some)
    for name in names:
        paths = image_paths(masks_dir / name)
        truth = _label_maps(name, paths, form, None)
        prediction, kept = np.zeros_like(truth), scored_frames(form)
        predicted = [results / name / f"{path.stem}.png" for path in paths[kept]]
        if predicted:
            prediction[kept] = _label_maps(name, predicted, form, truth.shape[1:])
        yield LabelledSequence(name, prediction, truth)


def folder_scores(
    results: Path, masks_dir: Path, names: Sequence[str], form: Form
) -> tuple[DavisScores, dict[str, str]]:
    """The scores of the sequences of :func:`folder_sequences` that can be scored, and why the others cannot, by name.

    Raises:
        DataError: none can.
    """
    scored: list[SequenceScores] = []
    left_out: dict[str, str] = {}
    for name in names:
        try:
            scored += [sequence_scores(found, form) for found in folder_sequences(results, masks_dir, [name], form)]
        except DataError as error:
            left_out[name] = str(error)
    if not scored and left_out:
        first = next(iter(left_out))
        raise DataError(f"none of {len(left_out)} sequences can be scored; {left_out[first]}")
    return gathered_scores(scored, form), left_out


def track_sequences(
    results: Sequence[TrackResult], split: Split, masks_dir: Path, names: Sequence[str]
) -> Iterator[LabelledSequence]:
    """The best-scored tracks of each video as the proposals of the unsupervised form.

    `split` is one of `davis-to-vis`: its videos are named as the folders in `masks_dir`, their frames as the masks.

    Raises:
        DataError: a sequence or frame is missing from the split, or the masks differ in size from its videos.
    """
    videos = {PurePosixPath(video.name).name: video for video in split.videos}
    require_all(names, set(videos), "split of the results")
    for name in names:
        paths = image_paths(masks_dir / name)
        truth = _label_maps(name, paths, Form.UNSUPERVISED, None)
        video = videos[name]
        tracks = [track for track in results if track.video_id == video.id]
        if truth.shape[1:] != (video.height, video.width):
            sizes = f"{_size(truth.shape[1:])}, the split's video is {video.width}x{video.height}"
            raise DataError(f"sequence {name}: the true masks are {sizes}")
        prediction = label_map(tracks, (video.length, video.height, video.width))
        yield LabelledSequence(name, prediction[_positions(name, paths, video)], truth)


def label_map(tracks: Sequence[TrackResult], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The 20 best-scored tracks of a video as one map, uint8 [F, H, W] of the shape given: 1 the best, 0 none.

    Where tracks overlap the better one lies on top.
    """
    best = sorted(tracks, key=lambda track: -track.score)[:MOST_PROPOSALS]
    labels = np.zeros(shape, dtype=np.uint8)
    for label, track in reversed(list(enumerate(best, start=1))):
        for frame, rle in enumerate(track.segmentations):
            if rle is not None:
                labels[frame][masks.decode(rle)] = label
    return labels


def _label_maps(name: str, paths: Sequence[Path], form: Form, size: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """The masks of one sequence, at least one, as label maps [F, H, W], all of `size` or else of the first one's."""
    stored, palettes = [], []
    for path in paths:
        values, palette = _stored(name, path)
        size = size or values.shape
        if values.shape != size:
            raise DataError(f"sequence {name}, mask {path}: is {_size(values.shape)}, the true masks are {_size(size)}")
        stored.append(values)
        palettes.append(palette)
    # The single-object form knows no void: there 0 and 255 alone are black and white even in a palette.
    return label_maps(np.stack(stored), palette=any(palettes) and form is not Form.SINGLE_OBJECT)


def _stored(name: str, path: Path) -> tuple[NDArray[np.uint8], bool]:
    """One mask, and whether it has a palette."""
    if not path.exists():
        raise DataError(f"sequence {name}: no mask {path}; every frame that is scored needs one")
    try:
        return read_stored(path)
    except DataError as error:
        raise DataError(f"sequence {name}, mask {path}: {error}") from error


def _positions(name: str, paths: Sequence[Path], video: Video) -> list[int]:
    """Where in the video the annotated frames are."""
    positions = {PurePosixPath(file).stem: position for position, file in enumerate(video.file_names)}
    missing = [path.stem for path in paths if path.stem not in positions]
    if missing:
        raise DataError(f"sequence {name}: the split of the results has no frame {missing[0]}")
    return [positions[path.stem] for path in paths]


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]}"
