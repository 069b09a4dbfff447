"""What is drawn of the videos of a run, alone or beside the ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vis_pipeline.visualize.ground_truth import GroundTruth, true_identities
from vis_pipeline.visualize.identities import Identity, identities
from vis_pipeline.visualize.identity_choice import IdentityChoice, categories_from_text, numbers_from_text
from vis_pipeline.visualize.pair_artist import PairArtist
from vis_pipeline.visualize.run_videos import RunVideo, RunVideos
from vis_pipeline.visualize.style import TRACK_STYLE, Style
from vis_pipeline.visualize.track_artist import TrackArtist

_LEAST_SCORE = 0.2


@dataclass(frozen=True)
class Wishes:
    """What was asked for, as it was written; None where nothing was.

    Attributes:
        ids: numbers of identities, as in `1,3`.
        classes: names or ids of classes, as in `person,7`.
        least_score: of identities; without it 0.2, or 0 where they are chosen by their numbers.
    """

    ids: str | None = None
    classes: str | None = None
    least_score: float | None = None


@dataclass(frozen=True)
class RunView:
    """What is drawn of each video of a run.

    Attributes:
        choice: which identities.
        class_names: by the ids of the run's classes.
        style: how.
        truth: what stands beside them, if anything.
        true_categories: ids of the classes of the ground truth that are asked for; None stands for all.
    """

    choice: IdentityChoice
    class_names: Mapping[int, str] = field(default_factory=dict)
    style: Style = TRACK_STYLE
    truth: GroundTruth | None = None
    true_categories: frozenset[int] | None = None

    def artist(self, video: RunVideo) -> tuple[TrackArtist | PairArtist, str]:
        """What draws a video, with the ground truth, if there is one, on a panel of its own, and facts for a title.

        Of the ground truth that is what has a counterpart among the identities drawn, and unless these are chosen by
        their numbers all else of the classes asked for.

        Raises:
            DataError: the ground truth has no such video, or a mask is damaged.
        """
        every = identities(video.tracks, self.class_names, 0.0, video.predicted)
        shown = self.choice.of(every)
        least = self.choice.least_score
        facts = f"{len(shown)} of {len(every)} identities" + (f" (score ≥ {least:.2f})" if least > 0 else "")
        if self.truth is None:
            return TrackArtist(shown, self.style), facts
        there = true_identities(self.truth.objects(video), shown, self.truth.class_names, len(every))
        objects = [one for one in there if one.number <= len(every) or self._is_asked_for(one)]
        panels = (
            TrackArtist(shown, self.style, "result", "score"),
            TrackArtist(objects, self.style, "ground truth", "IoU with the identity of the same colour; -: with none"),
        )
        return PairArtist(*panels), f"{facts} · {len(objects)} of {len(there)} objects"

    def _is_asked_for(self, missed: Identity) -> bool:
        return self.choice.numbers is None and (
            self.true_categories is None or missed.category_id in self.true_categories
        )


def run_view(
    finished: RunVideos, video_ids: Sequence[int], wishes: Wishes, style: Style, truth: GroundTruth | None
) -> RunView:
    """The view of some videos of a run that is wished for.

    Raises:
        ConfigError: there is no such identity in the videos, or no such class.
        DataError: the ground truth does not have one of them, or a file of the run is damaged.
    """
    if truth is not None:
        for video_id in video_ids:
            truth.objects(finished.open(video_id))
    numbers = None if wishes.ids is None else numbers_from_text(wishes.ids)
    least = wishes.least_score if wishes.least_score is not None else (_LEAST_SCORE if numbers is None else 0.0)
    names = finished.all_names or (truth.all_names if truth else {}) or finished.numbered_classes(video_ids)
    categories = None if wishes.classes is None else categories_from_text(wishes.classes, names)
    choice = IdentityChoice(least, numbers, categories)
    if numbers is not None:
        there = [choice.without_numbers(identities(finished.outcome(one).tracks, {}, 0.0)) for one in video_ids]
        choice.require_numbers(frozenset(identity.number for video in there for identity in video))
    asked = None if categories is None or truth is None else truth.named({names[one] for one in categories})
    return RunView(choice, finished.class_names or (truth.class_names if truth else {}), style, truth, asked)
