"""The folder of a report: pages, data, frames and pictures, written video by video."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vis_pipeline.data.entries import one_line
from vis_pipeline.data.fit import checked_annotations, require_fit
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import copy_file
from vis_pipeline.report.comparison import Comparison, compare
from vis_pipeline.report.footage import Footage, write_footage
from vis_pipeline.report.overview import Overview, VideoRow
from vis_pipeline.report.script_files import write_script
from vis_pipeline.report.stories import VideoStories, sorted_events
from vis_pipeline.report.video_page import Verdicts, track_colours, verdicts, video_page
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.visualize.run_videos import RunVideo, RunVideos

PAGE = Path(__file__).with_name("page")
INDEX = "index.html"


@dataclass(frozen=True)
class Watcher:
    """Who is told how far it is: of a video that begins (its name and frames), a frame and a video that are done."""

    on_video: Callable[[str, int], None] = lambda name, frames: None
    on_frame: Callable[[], None] = lambda: None
    on_done: Callable[[], None] = lambda: None


SILENT = Watcher()


class Report:
    """Writes the report of a run's finished videos into a folder.

    `truth` is the ground truth to compare with, `least_score` the least score that counts in the comparison by frame;
    `split` and `frames` take the place of what the run's config says.

    Raises:
        DataError: no run there, nothing finished in it, its split or frames cannot be found, or a chosen video is not
            finished or not in the ground truth.
    """

    def __init__(
        self,
        run: Path,
        out: Path,
        truth: Split | None = None,
        split: Path | None = None,
        frames: Path | None = None,
        chosen: Sequence[int] | None = None,
        least_score: float = 0.0,
    ) -> None:
        self._run = RunFolder.open(run)
        self._videos = RunVideos(run, split, frames)
        self._out = out
        self._least_score = least_score
        self.video_ids = self._videos.video_ids if chosen is None else self._videos.select(chosen)
        self._truth = None if truth is None else _of_videos(truth, self.video_ids)
        self._settings: Mapping[str, Any] = self._run.config().get("pipeline") or {}

    def write(self, watcher: Watcher = SILENT) -> Path:
        """Write all of it; the page to open.

        Raises:
            DataError: a video is damaged, does not fit the ground truth, has no readable frame, or nothing can be
                written.
        """
        try:
            for name in ("data", "frames", "pictures"):
                (self._out / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{self._out}: cannot be written ({error.strerror}); give another --out") from error
        rows: list[VideoRow] = []
        results: list[TrackResult] = []
        for video_id in self.video_ids:
            video = self._videos.open(video_id)
            _require_finite(video_id, video.outcome)
            rows.append(self._write_video(video_id, video, watcher))
            # Without ground truth nobody will look at the masks again.
            results += video.tracks if self._truth else [replace(track, segmentations=()) for track in video.tracks]
            watcher.on_done()
        write_script(self._out / "data" / "index.js", {"index": self._overview(rows, results).to_json()})
        self._remove_others()
        for path in sorted(PAGE.iterdir(), key=lambda path: path.name == INDEX):
            copy_file(path, self._out / path.name)
        return self._out / INDEX

    def _remove_others(self) -> None:
        """Remove what an earlier report left of videos that this one does not list."""
        for folder, suffix in (("data", ".js"), ("frames", ".mp4"), ("pictures", ".jpg")):
            for path in (self._out / folder).glob(f"*{suffix}"):
                if path.stem.isdecimal() and int(path.stem) not in self.video_ids:
                    path.unlink(missing_ok=True)

    def _write_video(self, video_id: int, video: RunVideo, watcher: Watcher) -> VideoRow:
        outcome, source = video.outcome, video.source
        truths = comparison = judged = None
        if self._truth is not None:
            truths, comparison, judged = self._compared(video_id, outcome)
        stories = self._stories(video_id, len(outcome.tracks))
        watcher.on_video(source.name, outcome.length)
        footage = self._write_footage(video_id, video, watcher)
        page = video_page(video_id, source.name, outcome, footage, stories, self._settings, truths, comparison, judged)
        write_script(self._out / "data" / f"{video_id}.js", {"video": page})
        scores = [track.score for track in outcome.tracks]
        classes = {track.category_id for track in outcome.tracks} | {truth.category_id for truth in truths or ()}
        return VideoRow(
            video_id=video_id,
            name=source.name,
            frames=outcome.length,
            tracks=len(scores),
            mean_score=sum(scores) / len(scores) if scores else None,
            lost=len(footage.lost),
            notes=len(outcome.notes),
            classes=tuple(sorted(classes)),
            counts=None if comparison is None else comparison.counts,
        )

    def _write_footage(self, video_id: int, video: RunVideo, watcher: Watcher) -> Footage:
        outcome = video.outcome
        shown = [track for track in outcome.tracks if track.score >= self._least_score]
        colours = track_colours(outcome.tracks)
        return write_footage(
            video.source,
            outcome.length,
            (outcome.height, outcome.width),
            self._out / "frames" / f"{video_id}.mp4",
            self._out / "pictures" / f"{video_id}.jpg",
            shown,
            colours[[track.score >= self._least_score for track in outcome.tracks]],
            watcher.on_frame,
        )

    def _compared(self, video_id: int, outcome: VideoOutcome) -> tuple[Sequence[Annotation], Comparison, Verdicts]:
        assert self._truth is not None
        video = self._truth.videos_by_id()[video_id]
        try:
            require_fit(outcome.tracks, self._truth)
        except DataError as error:
            raise DataError(f"--gt does not fit the run: {one_line(error)}") from error
        truths = [truth for truth in self._truth.annotations or () if truth.video_id == video_id]
        comparison = compare(outcome.tracks, truths, video, self._least_score)
        return truths, comparison, verdicts(video, outcome.tracks, truths, self._truth.categories)

    def _stories(self, video_id: int, results: int) -> VideoStories | None:
        events = self._run.read_events(video_id)
        if events is None:
            return None
        return sorted_events(events, results, f"events of video {video_id} of run folder {self._run.path}")

    def _overview(self, rows: Sequence[VideoRow], results: Sequence[TrackResult]) -> Overview:
        names = dict(self._videos.all_names)
        if self._truth is not None:
            names |= {category.id: category.name for category in self._truth.categories}
        return Overview(
            title=self._run.path.resolve().name,
            config_hash=self._run.config_hash(),
            made=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            unfinished=self._videos.unfinished,
            least_score=self._least_score,
            categories=tuple(Category(identifier, name) for identifier, name in names.items()),
            rows=rows,
            results=results,
            truth=self._truth,
            facts=_facts(self._run.config()),
        )


def _of_videos(truth: Split, video_ids: Sequence[int]) -> Split:
    """The part of a split that is about these videos."""
    annotations = checked_annotations(truth)
    videos = truth.videos_by_id()
    for video_id in video_ids:
        if video_id not in videos:
            raise DataError(f"--gt has no video {video_id}, which the run has; give the ground truth of the same split")
    chosen: list[Video] = [videos[video_id] for video_id in video_ids]
    own = set(video_ids)
    kept = tuple(annotation for annotation in annotations if annotation.video_id in own)
    return Split(tuple(chosen), truth.categories, kept)


def _require_finite(video_id: int, outcome: VideoOutcome) -> None:
    for index, track in enumerate(outcome.tracks):
        if not math.isfinite(track.score):
            raise DataError(f"video {video_id}, track {index}: its score is {track.score}, which is no number to show")


def _facts(config: Mapping[str, Any]) -> dict[str, str]:
    """What the run was made with, in a few words."""
    checkpoints = config.get("checkpoints") or {}
    pipeline = config.get("pipeline") or {}
    facts: dict[str, str] = {}
    for part in ("detector", "tracker"):
        checkpoint = checkpoints.get(part) if isinstance(checkpoints, Mapping) else None
        kind = pipeline.get(part, {}).get("type") if isinstance(pipeline, Mapping) else None
        words = [str(kind)] if kind else []
        if checkpoint:
            words.append(Path(str(checkpoint)).stem)
        if words:
            facts[part] = ", ".join(words)
    if config.get("detections"):
        facts["detections"] = "recorded"
    if config.get("version"):
        facts["version"] = str(config["version"])
    return facts
