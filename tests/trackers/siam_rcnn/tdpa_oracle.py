"""Section 3.3 of Siam R-CNN word by word: nothing is kept from frame to frame, and all sequences are listed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from vis_pipeline.trackers.siam_rcnn.settings import TdpaSettings

Similarity = Callable[[int, int], float]
Chain = list[tuple["Tracklet", int]]


@dataclass(frozen=True)
class Detection:
    """One re-detection; `name` is what similarities are asked by, 0 the first frame's box."""

    name: int
    box: tuple[float, float, float, float]


@dataclass
class Tracklet:
    """Detections of frames in a row from `start` on, with the two scores of each."""

    start: int
    found: list[Detection] = field(default_factory=list)
    scores: list[tuple[float, float]] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.found)


@dataclass(frozen=True)
class Shown:
    box: tuple[float, ...]
    present: bool
    score: float
    tracklets: int


def box_differences(first: Detection, second: Detection, width: float, height: float) -> list[float]:
    (a, b, c, d), (e, f, g, h) = first.box, second.box
    return [
        abs((a + c) / 2 - (e + g) / 2) / width,
        abs((b + d) / 2 - (f + h) / 2) / height,
        abs((c - a) - (g - e)) / width,
        abs((d - b) - (h - f)) / height,
    ]


def build_tracklets(
    video: Sequence[Sequence[Detection]], similarity: Similarity, settings: TdpaSettings, width: float, height: float
) -> list[Tracklet]:
    """Algorithm 1, for all frames; the video's first one holds the target alone."""
    tracklets = [Tracklet(0, [video[0][0]], [(1.0, 1.0)])]
    for time in range(1, len(video)):
        before = [tracklet for tracklet in tracklets if tracklet.end == time]
        reference = tracklets[0].found[-1].name
        table: dict[tuple[int, int], float] = {}
        for row, tracklet in enumerate(before):
            for detection in video[time]:
                near = max(box_differences(tracklet.found[-1], detection, width, height)) < settings.max_distance
                score = similarity(tracklet.found[-1].name, detection.name) if near else float("-inf")
                table[row, detection.name] = score
        for detection in video[time]:
            joined = Tracklet(time)
            for row, tracklet in enumerate(before):
                best = table[row, detection.name]
                others = [table[row, other.name] for other in video[time] if other is not detection]
                others += [table[other, detection.name] for other in range(len(before)) if other != row]
                if best > settings.join_score and all(other < best - settings.margin for other in others):
                    joined = tracklet
            if joined.start == time:
                tracklets.append(joined)
            joined.found.append(detection)
            joined.scores.append((similarity(0, detection.name), similarity(reference, detection.name)))
    return tracklets


def earliest_end(tracklets: Sequence[Tracklet], time: int, settings: TdpaSettings) -> int:
    """The earliest end of a predecessor, for what is computed at a time."""
    return max([tracklet.end for tracklet in tracklets if tracklet.end <= time], default=0) + 1 - settings.max_gap


def chains_at(tracklets: Sequence[Tracklet], last: Tracklet, time: int, settings: TdpaSettings) -> Iterator[Chain]:
    """All sequences that end with a tracklet, as the algorithm sees them at a time that the tracklet reaches."""
    for previous in tracklets:
        if previous.end <= last.start and previous.end >= earliest_end(tracklets, time, settings):
            for chain in chains(tracklets, previous, settings):
                yield [*chain, (last, time)]


def chains(tracklets: Sequence[Tracklet], last: Tracklet, settings: TdpaSettings) -> list[Chain]:
    """All sequences that end with a tracklet, when it was last computed; each has the time until which it counts."""
    if last is tracklets[0]:
        return [[(last, 0)]]
    for time in range(last.end - 1, last.start - 1, -1):
        found = list(chains_at(tracklets, last, time, settings))
        if found:
            return found
    return []


def chain_score(chain: Chain, settings: TdpaSettings, width: float, height: float) -> float:
    """Equation 1, where the first frame's tracklet counts nothing."""
    total = 0.0
    for (previous, _), (tracklet, until) in pairwise(chain):
        moved = box_differences(previous.found[-1], tracklet.found[0], width, height)
        total -= settings.location_weight * (sum(moved) / 4)
        for first_frame, first_tracklet in tracklet.scores[: until - tracklet.start + 1]:
            total += settings.first_frame_weight * first_frame + (1 - settings.first_frame_weight) * first_tracklet
    return total


def literal_tdpa(
    video: Sequence[Sequence[Detection]], similarity: Similarity, settings: TdpaSettings, width: float, height: float
) -> list[Shown]:
    """What each frame after the first shows."""
    shown = []
    for time in range(1, len(video)):
        tracklets = build_tracklets(video[: time + 1], similarity, settings, width, height)
        best, best_score = tracklets[0], 0.0
        for tracklet in tracklets[1:]:
            scores = [chain_score(chain, settings, width, height) for chain in chains(tracklets, tracklet, settings)]
            if scores and max(scores) > best_score:
                best, best_score = tracklet, max(scores)
        last = settings.rank_weight * best.scores[-1][0]
        present = best.end == time + 1
        weights = settings.first_frame_weight, 1 - settings.first_frame_weight
        frame_score = sum(weight * max(score[place] for score in best.scores) for place, weight in enumerate(weights))
        score = frame_score + last if present else settings.absent_score + last
        shown.append(Shown(best.found[-1].box, present, score, len(tracklets)))
    return shown
