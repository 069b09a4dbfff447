"""What is drawn of one video of a run, alone or beside the ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vis_pipeline.structures.splits import Annotation
from vis_pipeline.visualize.ground_truth import true_identities
from vis_pipeline.visualize.identities import identities
from vis_pipeline.visualize.identity_choice import IdentityChoice
from vis_pipeline.visualize.pair_artist import PairArtist
from vis_pipeline.visualize.run_videos import RunVideo
from vis_pipeline.visualize.style import TRACK_STYLE, Style
from vis_pipeline.visualize.track_artist import TrackArtist


@dataclass(frozen=True)
class RunView:
    """What is drawn of each video of a run: which identities, under which names of classes, and how."""

    choice: IdentityChoice
    class_names: Mapping[int, str]
    style: Style = TRACK_STYLE

    def artist(
        self, video: RunVideo, objects: Sequence[Annotation] | None = None
    ) -> tuple[TrackArtist | PairArtist, str]:
        """What draws a video, with the `objects` of the ground truth on a panel of their own, and facts for a title.

        Raises:
            DataError: a mask is damaged.
        """
        every = identities(video.tracks, self.class_names, 0.0, video.predicted)
        shown = self.choice.of(every)
        least = self.choice.least_score
        facts = f"{len(shown)} of {len(every)} identities" + (f" (score ≥ {least:.2f})" if least > 0 else "")
        if objects is None:
            return TrackArtist(shown, self.style), facts
        truth = self.choice.of(true_identities(objects, shown, self.class_names, len(every)))
        panels = (
            TrackArtist(shown, self.style, "prediction", "score"),
            TrackArtist(truth, self.style, "ground truth", "IoU with the identity of the same colour; -: with none"),
        )
        return PairArtist(*panels), f"{facts} · {len(truth)} objects"
