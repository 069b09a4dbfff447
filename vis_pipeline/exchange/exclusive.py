"""One label a pixel, for the forms in which tracks cannot overlap: the track of the higher score lies on top."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.exchange.content import Notes, VideoTracks

OVERLAPS = "{count} pixels in which tracks overlap went to the one of the higher score"


def label_maps(found: VideoTracks, labels: Mapping[int, int], notes: Notes) -> Iterator[NDArray[np.uint16]]:
    """Each frame of a video as uint16 [H, W]: the label of the track that shows there, by its place, or 0 for none.

    Of tracks with equal scores the earlier lies on top; regions to be ignored lie beneath all, and several may have one
    label. A note says how many pixels tracks took from each other.
    """
    video = found.video
    bottom_up = sorted(labels, key=lambda place: (found.tracks[place].score, -place))
    for frame in range(video.length):
        canvas = np.zeros((video.height, video.width), dtype=np.uint16)
        tracks = np.zeros((video.height, video.width), dtype=np.bool_)
        for place in sorted(bottom_up, key=lambda place: place not in found.crowds):
            rle = found.tracks[place].segmentations[frame]
            if rle is None:
                continue
            mask = masks.decode(rle)
            canvas[mask] = labels[place]
            if place not in found.crowds:
                notes.say(OVERLAPS, int((tracks & mask).sum()))
                tracks |= mask
        yield canvas
