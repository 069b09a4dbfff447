import io

from rich.console import Console

from vis_pipeline.runs.progress import ProgressBar


def show(terminal: bool, expected: dict[int, int | None]) -> str:
    file = io.StringIO()
    with ProgressBar(Console(file=file, force_terminal=terminal, width=100, highlight=False)) as progress:
        progress.start(expected, already_finished=3)
        progress.advance(1, 4)
        progress.finish(1, 10)
        progress.advance(2, 5)
        progress.advance(2, 0)
        progress.fail(2, "its [worker] died")
    return file.getvalue()


def test_on_a_terminal_a_bar_counts_videos_and_frames() -> None:
    text = show(True, {1: 10, 2: 20, 4: 30})
    assert "2/3 videos" in text and "10/40 frames" in text
    assert "3 videos were finished by an earlier run" in text
    assert "video 2 set aside: its [worker] died" in text


def test_elsewhere_a_line_a_video() -> None:
    text = show(False, {1: 10, 2: 20})
    assert "1/2 videos: video 1 done, 10 frames" in text
    assert "\x1b" not in text


def test_a_long_video_is_not_silent_outside_a_terminal() -> None:
    file, now = io.StringIO(), [100.0]
    with ProgressBar(Console(file=file, width=100, highlight=False), clock=lambda: now[0]) as progress:
        progress.start({1: 900, 2: 100}, already_finished=0)
        for frames in range(1, 80):
            now[0] += 1.0
            progress.advance(1, 5 * frames)
    assert file.getvalue().splitlines() == [
        "0/2 videos, 150/1000 frames, 5.0 frames/s, about 0:02:50 left",
        "0/2 videos, 300/1000 frames, 5.0 frames/s, about 0:02:20 left",
    ]


def test_frames_that_nobody_knows_are_not_counted_down() -> None:
    assert "10/? frames" in show(True, {1: 10, 2: 5, 4: None})
