"""What of a video goes into its page, as plain JSON values; ids are text, since a browser's numbers end at 2^53."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.explain.kinds import Kind, find_errors
from evaluation.explain.scored_video import measure_videos
from vis_pipeline.report.comparison import Comparison
from vis_pipeline.report.footage import Footage
from vis_pipeline.report.rules import rule_in_words
from vis_pipeline.report.stories import Note, VideoStories, scores, states
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.visualize.palette import identity_colours


@dataclass(frozen=True)
class Verdicts:
    """Which kind of error each of a video's tracks, and each of its ground truths, is by the protocol at IoU 0.5."""

    tracks: tuple[str | None, ...]
    truths: tuple[str | None, ...]


def verdicts(
    video: Video, tracks: Sequence[TrackResult], truths: Sequence[Annotation], categories: tuple[Category, ...]
) -> Verdicts:
    """Those that the error analysis of :mod:`evaluation.explain` gives the video."""
    (scored,) = measure_videos(tracks, Split((video,), categories, tuple(truths)))
    errors = find_errors(scored)
    of_tracks: list[str | None] = [None] * len(tracks)
    of_truths: list[str | None] = [None] * len(truths)
    for kind in Kind:
        which, where, kinds = scored.results, errors.of(kind), of_tracks
        if kind is Kind.MISSED:
            which, kinds = scored.annotations, of_truths
        for index in which[where].tolist():
            kinds[index] = kind.value
    return Verdicts(tuple(of_tracks), tuple(of_truths))


def numbers_by_score(tracks: Sequence[TrackResult]) -> list[int]:
    """The number of each track in pictures: from 1 by falling score; of equal scores the earlier comes first."""
    order = sorted(range(len(tracks)), key=lambda index: -tracks[index].score)
    numbers = [0] * len(tracks)
    for number, index in enumerate(order, start=1):
        numbers[index] = number
    return numbers


def track_colours(tracks: Sequence[TrackResult]) -> NDArray[np.uint8]:
    """The colour of each track in pictures, uint8 [N, 3], BGR."""
    numbers = np.array(numbers_by_score(tracks), dtype=np.int64)
    return np.asarray(identity_colours(len(tracks))[numbers - 1])


def hexadecimal(colour: NDArray[np.uint8]) -> str:
    """A BGR colour as style sheets write it."""
    blue, green, red = colour.tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


class Rules:
    """The rules that a page's decisions follow, each once; decisions name them by their place in `words`."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.words: list[str] = []
        self._settings = settings
        self._places: dict[tuple[str, str | None], int] = {}

    def told(self, note: Note) -> list[Any]:
        """A decision: frame, kind, rule, detection, affinity and score; null where it has none."""
        key = note.kind, note.reason if note.kind != "reported" else None
        if key not in self._places:
            self._places[key] = len(self.words)
            self.words.append(rule_in_words(note.kind, key[1], self._settings))
        return [note.frame, note.kind, self._places[key], note.detection, note.affinity, note.score]


def video_page(
    video_id: int,
    name: str,
    outcome: VideoOutcome,
    footage: Footage,
    stories: VideoStories | None,
    settings: Mapping[str, Any],
    truths: Sequence[Annotation] | None,
    comparison: Comparison | None,
    judged: Verdicts | None,
) -> dict[str, Any]:
    """All that the page of one video shows; see `page/video.js` for who reads it.

    `settings` are those of the run's pipeline. Masks are the texts of run lengths, by columns, as in COCO.
    """
    rules = Rules(settings)
    numbers, colours = numbers_by_score(outcome.tracks), track_colours(outcome.tracks)
    told = [None] * len(outcome.tracks) if stories is None else stories.results
    tracks = []
    for index, (track, notes) in enumerate(zip(outcome.tracks, told, strict=True)):
        shown = [rle is not None for rle in track.segmentations]
        entry: dict[str, Any] = {
            "number": numbers[index],
            "category": str(track.category_id),
            "score": track.score,
            "colour": hexadecimal(colours[index]),
            "masks": _texts(track),
            "states": states(notes, shown),
            "scores": scores(notes, outcome.length),
            "told": [rules.told(note) for note in notes or ()],
        }
        if comparison is not None and judged is not None:
            entry |= {"matches": comparison.matches[index].tolist(), "kind": judged.tracks[index]}
        tracks.append(entry)
    page: dict[str, Any] = {
        "id": str(video_id),
        "name": name,
        "width": outcome.width,
        "height": outcome.height,
        "length": outcome.length,
        "rate": footage.rate,
        "film": [footage.width, footage.height],
        "lost": list(footage.lost),
        "notes": list(outcome.notes),
        "tracks": tracks,
        "events": stories is not None,
        "dropped": [] if stories is None else [[rules.told(note) for note in notes] for notes in stories.dropped],
        "refused": [] if stories is None else [rules.told(note) for note in stories.refused],
    }
    if truths is not None and comparison is not None and judged is not None:
        page |= {
            "truths": [
                {
                    "id": str(truth.id),
                    "category": str(truth.category_id),
                    "crowd": truth.iscrowd,
                    "masks": _texts(truth),
                    "matches": comparison.truth_matches[index].tolist(),
                    "partner": int(comparison.partners[index]),
                    "kind": judged.truths[index],
                }
                for index, truth in enumerate(truths)
            ],
            "errors": [asdict(error) for error in comparison.errors],
        }
    return {**page, "rules": rules.words}


def _texts(entry: TrackResult | Annotation) -> list[str | None]:
    return [None if rle is None else rle["counts"] for rle in entry.segmentations]
