"""Several who watch one run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from vis_pipeline.runs.worker import Watcher
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks


@contextmanager
def all_of(
    showings: Sequence[Callable[[Mapping[int, str]], AbstractContextManager[Watcher]]], class_names: Mapping[int, str]
) -> Iterator[Watcher]:
    """What gives each frame to all of them, opened for classes with these names, in this order."""
    with ExitStack() as opened:
        watchers = [opened.enter_context(showing(class_names)) for showing in showings]

        def watch(frame: Frame, tracks: FrameTracks) -> None:
            for watcher in watchers:
                watcher(frame, tracks)

        yield watch
