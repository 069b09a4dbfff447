"""The frames of a split as videos of length 1: what a detector, which knows no time, learns from and is scored on."""

from collections import defaultdict

from vis_pipeline.structures.splits import Annotation, Split, Video


def as_single_frames(split: Split, every: int = 1) -> Split:
    """Each frame as a video of its own, with an annotation for each object that shows in it.

    A frame's id is its place among all frames, from 1, in the order of the split; so it is the same whatever `every`
    is. Of each video the frames 0, `every`, 2 `every`, ... are taken. Annotations are numbered anew, from 1, and keep
    the file's area and level of occlusion of their frame.
    """
    by_video: dict[int, list[Annotation]] = defaultdict(list)
    for annotation in split.annotations or ():
        by_video[annotation.video_id].append(annotation)
    frames: list[Video] = []
    annotations: list[Annotation] = []
    before = 0
    for video in split.videos:
        for index in range(0, video.length, every):
            frame = Video(before + index + 1, video.width, video.height, 1, (video.file_names[index],))
            frames.append(frame)
            for annotation in by_video[video.id]:
                if annotation.segmentations[index] is not None:
                    annotations.append(_in_frame(annotation, index, frame.id, len(annotations) + 1))
        before += video.length
    return Split(tuple(frames), split.categories, None if split.annotations is None else tuple(annotations))


def _in_frame(annotation: Annotation, index: int, frame_id: int, identifier: int) -> Annotation:
    # An area of null at a frame with a mask would count as 0, so the mask's own serves there.
    area = None if annotation.areas is None else annotation.areas[index]
    level = None if annotation.occlusion is None else annotation.occlusion[index]
    return Annotation(
        id=identifier,
        video_id=frame_id,
        category_id=annotation.category_id,
        segmentations=(annotation.segmentations[index],),
        areas=None if area is None else (area,),
        iscrowd=annotation.iscrowd,
        occlusion=None if level is None else (level,),
    )
