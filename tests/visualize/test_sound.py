"""The sound of a clip is in the video that is drawn of it, at the same time and of the same length."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vis_pipeline.data.frames import open_recorded
from vis_pipeline.data.limits import Limits
from vis_pipeline.visualize.pictures import Form, Pictures
from vis_pipeline.visualize.renderer import render_video

RATE, SECONDS, TONE = 44_100, 2.0, 441.0
HEIGHT, WIDTH = 48, 64


class Plain:
    """Draws nothing."""

    panels = 1

    def on_video(self, image, frame, caption):
        return image

    def on_tile(self, image, frame, caption):
        return image

    def strip(self, length, width, marked, lost):
        return np.zeros((1, width, 3), np.uint8)


def clip_with_a_tone(path: Path, codec: str, times: list[float], layout: str = "mono") -> Path:
    """Frames at these times; from 0.5 s on a tone, which ends two seconds after the first frame."""
    rate = 48_000 if codec == "libopus" else RATE
    samples = np.arange(int(SECONDS * rate))
    wave = np.where(samples >= rate / 2, np.sin(2 * np.pi * TONE * samples / rate), 0)
    channels = 1 if layout == "mono" else 2
    data = np.repeat((20_000 * wave).astype(np.int16), channels)[None]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream(codec, rate=rate, layout=layout)
        for shown in times:
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), format="bgr24")
            frame.time_base, frame.pts = Fraction(1, 1000), round(1000 * shown)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        step = rate // 10
        for begin in range(0, len(samples), step):
            part = np.ascontiguousarray(data[:, begin * channels : (begin + step) * channels])
            heard = av.AudioFrame.from_ndarray(part, format="s16", layout=layout)
            heard.sample_rate, heard.time_base, heard.pts = rate, Fraction(1, rate), begin
            container.mux(sound.encode(heard))
        container.mux(sound.encode())
    return path


def heard_in(path: Path) -> tuple[str, float, float, int]:
    """Codec, when the tone begins and when it ends, in seconds, and the number of channels."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        loud = []
        for frame in container.decode(stream):
            level = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            peak = level.max() / (32_768 if frame.format.name.startswith("s16") else 1)
            if peak > 0.2:
                loud.append((frame.time, frame.time + frame.samples / frame.sample_rate))
        return stream.codec_context.name, loud[0][0], loud[-1][1], stream.layout.nb_channels


def packets_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


EVEN = [index / 10 for index in range(20)]


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("clip.mp4", "aac", "aac"),
        ("clip.mkv", "flac", "flac"),
        ("clip.mkv", "libopus", "opus"),
        ("clip.ts", "aac", "aac"),
        ("clip.mov", "pcm_s16le", None),
        ("clip.mkv", "pcm_s16le", None),
    ],
)
def test_sound_is_copied_where_an_mp4_holds_it_and_else_coded_as_aac(tmp_path, name, codec, kept):
    clip = clip_with_a_tone(tmp_path / name, codec, EVEN, "stereo")
    drawn = render_video(open_recorded(clip), Plain(), tmp_path / "out/drawn", 20).files[Form.MP4]
    found, begins, ends, channels = heard_in(drawn)
    assert (found, channels) == (kept or "aac", 2)
    _, was_begun, was_ended, _ = heard_in(clip)
    with av.open(str(clip)) as container:
        offset = next(iter(container.decode(video=0))).time
    with av.open(str(drawn)) as container:
        new_offset = next(iter(container.decode(video=0))).time
    assert begins - new_offset == pytest.approx(was_begun - offset, abs=0.05)
    assert ends - new_offset == pytest.approx(was_ended - offset, abs=0.05)
    if name != "clip.ts" and kept:
        assert packets_of(drawn) == packets_of(clip), "nothing was coded anew"


def test_the_sound_of_a_clip_with_an_uneven_rate_stays_in_its_place(tmp_path):
    clip = clip_with_a_tone(tmp_path / "clip.mp4", "aac", [0.0, 0.1, 0.2, 1.2])
    drawn = render_video(open_recorded(clip), Plain(), tmp_path / "out/drawn", 4).files[Form.MP4]
    _, begins, ends, _ = heard_in(drawn)
    assert (begins, ends) == (pytest.approx(0.5, abs=0.06), pytest.approx(2.0, abs=0.06))
    with av.open(str(drawn)) as container:
        assert [frame.time for frame in container.decode(video=0)] == pytest.approx([0.0, 0.1, 0.2, 1.2], abs=2e-3)


def test_a_part_has_the_sound_of_that_part(tmp_path):
    clip = clip_with_a_tone(tmp_path / "clip.mp4", "aac", EVEN)
    part = open_recorded(clip, limits=Limits(frames=10))
    _, begins, ends, _ = heard_in(render_video(part, Plain(), tmp_path / "out/drawn", 10).files[Form.MP4])
    assert (begins, ends) == (pytest.approx(0.5, abs=0.06), pytest.approx(1.0, abs=0.06))


def test_another_rate_has_no_sound(tmp_path):
    clip = clip_with_a_tone(tmp_path / "clip.mp4", "aac", EVEN)
    pictures = Pictures(frames_per_second=25)
    drawn = render_video(open_recorded(clip), Plain(), tmp_path / "out/drawn", 20, pictures).files[Form.MP4]
    with av.open(str(drawn)) as container:
        assert not container.streams.audio


def test_damaged_sound_costs_the_sound_alone(tmp_path):
    clip = clip_with_a_tone(tmp_path / "clip.mkv", "pcm_s16le", EVEN)
    data = clip.read_bytes()
    clip.write_bytes(data[: int(0.7 * len(data))])
    drawn = render_video(open_recorded(clip, "skip"), Plain(), tmp_path / "out/drawn", 20).files[Form.MP4]
    with av.open(str(drawn)) as container:
        assert len(list(container.decode(video=0))) > 5
