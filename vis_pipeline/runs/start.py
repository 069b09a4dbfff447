"""A run: videos through a pipeline into a run folder, spread by Ray, and taken up where an earlier try stopped."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from detectors.detection_files import CATEGORIES_NAME, FOLDER_NAME
from detectors.recorded import Recording, open_recording, scan_detections
from vis_pipeline.data.frames import OnBadFrame, VideoFrames, extent, open_frames, split_frames
from vis_pipeline.data.limits import NO_LIMITS, Limits
from vis_pipeline.data.live import LIVE_DEFAULTS, LiveFrames, LiveOptions
from vis_pipeline.data.splits import read_split, split_to_json
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.json_files import open_json, parsed_json
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.files.whole_files import write_json_list, write_text
from vis_pipeline.interrupt import ending_at_interrupt, telling
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.identity import content_digest, listing_digest, run_identity, software_versions, video_digest
from vis_pipeline.runs.lock import Claim, holding
from vis_pipeline.runs.minding import Minding
from vis_pipeline.runs.parallel import RaySettings, RunReport, VideoTask, Worker, run_in_process, run_videos
from vis_pipeline.runs.progress import ProgressListener
from vis_pipeline.runs.settings import PipelineSettings
from vis_pipeline.runs.witness import Witness, frame_name
from vis_pipeline.runs.worker import CHECKPOINT_FRAMES, Watcher, WorkerFactory
from vis_pipeline.settings.device import torch_device, videos_at_a_time
from vis_pipeline.structures.frames import FrameSource
from vis_pipeline.structures.splits import Category, Split, Video

SPLIT_NAME = "split.json"
DETECTIONS_NAME = "detections.json"
FRAMES_NAME = "frames"

Spread: TypeAlias = Callable[
    [Sequence[VideoTask], Callable[[], Worker], RunFolder, RaySettings, ProgressListener], RunReport
]
"""Processes the videos that the folder does not hold yet, as :func:`~vis_pipeline.runs.parallel.run_videos` does."""


@dataclass(frozen=True)
class RecordedSource:
    """Detections to read from a file or folder in place of a detector; see `detectors.recorded`."""

    path: Path
    class_map: str | None


@dataclass(frozen=True)
class RunOptions:
    """How to run, as apart from what.

    Attributes:
        device: torch device of every worker.
        seed: of the workers.
        on_bad_frame: what to do at a frame that cannot be read.
        recorded: detections from disk in place of the detector.
        save_detections: also write `detections.json`.
        checkpoint_every: frames after which what is done of a video is kept, to go on from.
        deterministic: results do not depend, to the bit, on workers, threads and batches; None for unless the tracker's
            precision is `fast`.
        ray: workers and cluster.
        limits: what is read of a single video.
        live: how a live source is read.
        save_frames: also write the frames of a live source, which else are gone.
        showing: opens, for classes with these names by id, what shows the frames of a single video with their tracks.
    """

    device: str = "cpu"
    seed: int = 0
    on_bad_frame: OnBadFrame = "error"
    recorded: RecordedSource | None = None
    save_detections: bool = False
    checkpoint_every: int = CHECKPOINT_FRAMES
    deterministic: bool | None = None
    ray: RaySettings = field(default_factory=RaySettings)
    limits: Limits = NO_LIMITS
    live: LiveOptions = LIVE_DEFAULTS
    save_frames: bool = False
    showing: Callable[[Mapping[int, str]], AbstractContextManager[Watcher]] | None = None


def run_split(
    settings: PipelineSettings,
    split_path: Path,
    frames_dir: Path,
    out: Path,
    options: RunOptions,
    progress: ProgressListener,
    spread: Spread | None = None,
) -> RunReport:
    """Run over every video of a split, with Ray unless `spread` does otherwise; `results.json` has the finished ones.

    Raises:
        UserError: something cannot be used; see the modules that read it.
    """
    split = replace(read_split(split_path), annotations=None)
    if not frames_dir.is_dir():
        raise DataError(f"frames {frames_dir}: no such folder")
    tasks = [
        VideoTask(video.id, split_frames(video, frames_dir.resolve(), options.on_bad_frame), video.length)
        for video in split.videos
    ]
    inputs = {"split": str(split_path.resolve()), "frames": str(frames_dir.resolve())}
    recorded, recording = options.recorded, None
    if recorded is not None:
        recording = open_recording(recorded.path.resolve(), split, recorded.class_map)
    if not options.ray.lockstep:
        options = replace(options, ray=replace(options.ray, lockstep=_fitting(settings, split, options)))
    factory = _factory(settings, split, options, recording, out)
    frames = {video.id: listing_digest([frames_dir / name for name in video.file_names]) for video in split.videos}
    with holding(out) as claim:
        folder = _open_folder(claim, factory, inputs, content_digest(split_path), options, frames)
        for video_id in sorted(folder.with_other_frames()):
            folder.log(f"video {video_id}: its frames have changed since it was finished; it is done again")
        video_ids = [task.video_id for task in tasks]
        kept = [replace(task, journal=folder.journal(task.video_id)) for task in tasks]
        with telling(partial(_how_far, folder, video_ids)):
            try:
                report = (spread or run_videos)(kept, factory, folder, options.ray, Minding(progress, folder))
            except BaseException:
                # Whatever ended the run, an interrupt, too: the finished videos are worth their results.
                folder.require_ours()
                if folder.finished():
                    _close_folder(folder, factory, video_ids)
                raise
            _close_folder(folder, factory, video_ids)
        return report


def run_video(
    settings: PipelineSettings, video: str, out: Path, options: RunOptions, progress: ProgressListener
) -> RunReport:
    """Run over one video in this process, recorded or live; see `open_frames` for what `video` may be.

    Its classes are the detector's own, or those of the recorded detections. The run folder gets a `split.json` that
    describes the video and says when its frames are shown, so that everything that takes a split works on it. A live
    source ends at the first SIGINT or SIGTERM, too, and cannot be taken up.

    Raises:
        UserError: something cannot be used; see the modules that read it.
    """
    frames = open_frames(video, options.on_bad_frame, limits=options.limits, live=options.live)
    if isinstance(frames, LiveFrames):
        return _run_live(settings, frames, out, options, progress)
    if options.save_frames:
        raise ConfigError(f"run: --save-frames is for live sources; the frames of {video} are there already")
    recorded, recording = options.recorded, None
    if recorded is None:
        settings, categories = _with_own_classes(settings)
    else:
        scanned = scan_detections(recorded.path.resolve(), [_described(frames, *extent(frames))])
        categories, recording = scanned.as_they_are()
    factory = _factory(settings, Split((), categories, None), options, recording, out)
    inputs = {"video": str(Path(video).resolve()), "split": SPLIT_NAME}
    expected = frames.declared_length() if isinstance(frames, VideoFrames) else frames.length
    with holding(out) as claim:
        folder = _open_folder(claim, factory, inputs, video_digest(frames), options)
        seen = Witness(frames, patience=options.ray.timeout)
        task = VideoTask(frames.video_id, seen, expected, folder.journal(frames.video_id))
        with telling(partial(_how_far_single, task, folder)):
            with _shown(factory, options) as watched:
                report = run_in_process([task], watched, folder, Minding(progress, folder))
            _close_single(folder, factory, seen)
    return report


def _run_live(
    settings: PipelineSettings, frames: LiveFrames, out: Path, options: RunOptions, progress: ProgressListener
) -> RunReport:
    shown = frames.address.shown
    if options.recorded is not None:
        raise ConfigError(f"run: --detections need a recorded video, and {shown} is live")
    settings, categories = _with_own_classes(settings)
    # No frame waits until a batch is full: the next ones may be long in coming.
    settings = replace(settings, detector=replace(settings.detector, batch_size=1))
    factory = _factory(settings, Split((), categories, None), options, None, out)
    inputs = {"live": shown, "split": SPLIT_NAME}
    if options.save_frames:
        inputs["frames"] = FRAMES_NAME
    with holding(out) as claim:
        if any((out / "videos").glob("*.json")):
            raise DataError(
                f"run folder {out}: holds a finished run, and a live source ({shown}) cannot be taken up; "
                "give another --out, or remove the folder"
            )
        # What comes from a live source comes once: no other run has the same input.
        folder = _open_folder(claim, factory, inputs, uuid4().hex, options)
        seen = Witness(frames, out / FRAMES_NAME if options.save_frames else None, claim)
        task = VideoTask(frames.video_id, seen, options.limits.frames)
        with telling(lambda: "a live source cannot be taken up; give another --out, or remove the folder"):
            with ending_at_interrupt(frames.stop), _shown(factory, options) as watched:
                report = run_in_process([task], watched, folder, Minding(progress, folder))
            _close_single(folder, factory, seen)
    return report


def _how_far(folder: RunFolder, video_ids: Sequence[int]) -> str:
    folder.require_ours()
    finished = len(folder.finished().intersection(video_ids))
    held = f", {folder.path / 'results.json'} has them" if finished else ""
    return f"{finished} of {len(video_ids)} videos are finished{held}; the same `run` goes on from there"


def _how_far_single(task: VideoTask, folder: RunFolder) -> str:
    folder.require_ours()
    if task.video_id in folder.finished():
        return "the video is finished, its results.json is not; the same `run` writes it"
    kept = "kept up to its last checkpoint" if task.journal is not None and task.journal.exists() else "not kept yet"
    return f"the video is not finished, what is done of it is {kept}; the same `run` goes on from there"


def _fitting(settings: PipelineSettings, split: Split, options: RunOptions) -> int:
    """The videos that a worker's device has memory for at a time."""
    pixels = max((video.height * video.width for video in split.videos), default=1)
    masks = settings.detector.max_per_frame + settings.tracking.max_alive
    return videos_at_a_time(options.device, options.ray.gpus_per_worker or 1.0, pixels, masks)


@contextmanager
def _shown(factory: WorkerFactory, options: RunOptions) -> Iterator[WorkerFactory]:
    """The same factory, whose worker shows what it does, if that is wanted."""
    if options.showing is None:
        yield factory
        return
    with options.showing({category.id: category.name for category in factory.split.categories}) as watch:
        yield replace(factory, watch=watch)


def _with_own_classes(settings: PipelineSettings) -> tuple[PipelineSettings, tuple[Category, ...]]:
    settings = replace(settings, detector=replace(settings.detector, class_map="by-name"))
    return settings, settings.detector.categories()


def _close_single(folder: RunFolder, factory: WorkerFactory, seen: Witness) -> None:
    if seen.video_id in folder.finished():
        outcome = folder.read_video(seen.video_id)
        if outcome.height == 0:
            raise DataError(f"video {seen.name}: none of its {outcome.length} frames could be read")
        described = _described(seen, outcome.width, outcome.height, outcome.length)
        described = replace(described, times=_times(folder.path / SPLIT_NAME, seen, outcome.length))
        split = Split((described,), factory.split.categories, None)
        folder.require_ours()
        write_text(folder.path / SPLIT_NAME, json.dumps(split_to_json(split)))
    _close_folder(folder, factory, [seen.video_id])


def _times(written: Path, seen: Witness, length: int) -> tuple[float | None, ...] | None:
    """When the frames are shown: as they were seen in this run, or written by an earlier one, or else by reading."""
    if not seen.times:
        with suppress(DataError):
            (video,) = read_split(written).videos
            if video.length == length:
                return video.times
        for _ in seen:
            pass
    return tuple(seen.times) if any(time is not None for time in seen.times) else None


def _described(frames: FrameSource, width: int, height: int, length: int) -> Video:
    file_names = tuple(frame_name(frames.name, index) for index in range(length))
    return Video(frames.video_id, width, height, length, file_names)


def _factory(
    settings: PipelineSettings, split: Split, options: RunOptions, recording: Recording | None, out: Path
) -> WorkerFactory:
    if options.ray.address is None:
        torch_device(options.device)
    return WorkerFactory(
        settings=settings.with_absolute_paths(),
        split=split,
        device=options.device,
        seed=options.seed,
        recording=recording,
        detections_folder=(out / FOLDER_NAME).resolve() if options.save_detections else None,
        lockstep=options.ray.lockstep,
        checkpoint_every=options.checkpoint_every,
        deterministic=_exact(settings) if options.deterministic is None else options.deterministic,
    )


def _exact(settings: PipelineSettings) -> bool:
    return getattr(settings.tracker, "precision", "exact") != "fast"


def _open_folder(
    claim: Claim,
    factory: WorkerFactory,
    inputs: dict[str, str],
    input_digest: str,
    options: RunOptions,
    frames: Mapping[int, str] | None = None,
) -> RunFolder:
    """Create or take up the run folder.

    Its hash covers what the results depend on by content, so that data, weights and the folder itself may move. The
    device is left out (its rounding differs, not its meaning), and so is `on_bad_frame`: what was finished under
    `error` has no bad frame. A split's `frames`, too many to read twice, count video by video, by name, size and time
    of change.
    """
    identity = run_identity(factory, input_digest, None if options.recorded is None else options.recorded.class_map)
    if options.limits:
        identity["limits"] = asdict(options.limits)
    text = json.dumps(identity, sort_keys=True)
    where = {**inputs, "checkpoints": {part: str(path) for part, path in factory.checkpoints().items()}}
    config = {**where, "device": factory.device, **parsed_json(text)}
    folder = RunFolder.create(claim.folder, config, hashlib.sha256(text.encode()).hexdigest()[:16], frames, claim)
    folder.write_versions(software_versions())
    if factory.detections_folder is not None:
        try:
            factory.detections_folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DataError(f"{factory.detections_folder}: cannot be made ({error.strerror})") from error
        categories = split_to_json(factory.split)["categories"]
        write_text(factory.detections_folder / CATEGORIES_NAME, json.dumps(categories))
    return folder


def _close_folder(folder: RunFolder, factory: WorkerFactory, video_ids: list[int]) -> None:
    folder.assemble_results(video_ids)
    if factory.detections_folder is None:
        return
    folder.require_ours()
    finished = folder.finished()
    files = [factory.detections_folder / f"{video_id}.json" for video_id in video_ids if video_id in finished]
    write_json_list(folder.path / DETECTIONS_NAME, _saved_detections(files, folder))


def _saved_detections(files: Iterable[Path], folder: RunFolder) -> Iterator[Any]:
    """The entries of the videos' files, one by one."""
    for file in files:
        try:
            with open_json(file) as (opened, _):
                stream = JsonStream(opened)
                for entry in stream.entries():
                    if not isinstance(entry, dict) or str(entry.get("video_id")) != file.stem:
                        raise DataError("holds what is not of its video")
                    yield entry
                stream.finish()
        except DataError as error:
            video = folder.path / "videos" / file.name
            raise DataError(f"{file}: missing or damaged ({error}); remove {video} to have both made again") from error
