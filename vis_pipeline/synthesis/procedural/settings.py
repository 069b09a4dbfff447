"""What a procedural scene may contain; lengths in pixels, times in frames, angles in radians."""

from dataclasses import dataclass

from vis_pipeline.synthesis.common.motion import Stage


@dataclass(frozen=True)
class VideoSettings:
    """Ranges from which a video of any kind is drawn; pairs are (lowest, highest).

    Attributes:
        length: number of frames.
        size: square root of an object's area at mid-video.
        speed: of an object's centre, pixels per frame.
        spin: largest turning rate, radians per frame.
        shutter: part of the frame interval during which the shutter is open (motion blur).
        contrast: least CIELAB distance between an object's main colour and the background's colours.
        occluders: most background pieces that pass in front of objects.
        pan: largest speed of the background, pixels per frame.
        stream: number of the random stream, so that two settings do not draw related videos from one seed.
    """

    width: int = 320
    height: int = 192
    length: int = 24
    size: tuple[float, float] = (30.0, 72.0)
    speed: tuple[float, float] = (2.0, 6.5)
    spin: float = 0.08
    shutter: float = 0.5
    contrast: float = 34.0
    occluders: int = 1
    pan: float = 2.0
    stream: int = 0

    @property
    def stage(self) -> Stage:
        """Where the objects move."""
        return Stage(self.width, self.height, self.length, self.speed)


@dataclass(frozen=True)
class SceneSettings(VideoSettings):
    """Short videos in which objects overlap, leave and return as it comes.

    Attributes:
        objects: how many there are.
        lookalike_period: every video has a lookalike but each `lookalike_period`-th (0: all have).
        lookalikes: how many objects look like the first one, in a video with lookalikes.
        returning: least number of objects that leave the frame and come back.
    """

    objects: tuple[int, int] = (2, 6)
    lookalike_period: int = 4
    lookalikes: tuple[int, int] = (1, 1)
    returning: int = 1


@dataclass(frozen=True)
class ReturnsSettings(VideoSettings):
    """Long videos of pairs that look alike, of which now one, now the other is absent for an exact time.

    Attributes:
        pairs: how many there are.
        absences: numbers of frames, taken in this order, from another one on for each pair, as many as fit.
        settled: least number of frames for which a pair is together before, between and after its absences.
        shade: CIELAB distance between the colours of a pair.
        elsewhere: least distance between the places of leaving and returning, as a part of the frame's width.
    """

    length: int = 200
    size: tuple[float, float] = (30.0, 50.0)
    speed: tuple[float, float] = (1.5, 5.0)
    occluders: int = 2
    pan: float = 0.25
    stream: int = 3
    pairs: tuple[int, int] = (2, 2)
    absences: tuple[int, ...] = (5, 30, 90, 20, 60)
    settled: int = 12
    shade: tuple[float, float] = (8.0, 14.0)
    elsewhere: float = 0.25


NORMAL = SceneSettings()
HARD = SceneSettings(
    objects=(3, 6),
    speed=(4.0, 9.0),
    spin=0.14,
    shutter=0.6,
    contrast=28.0,
    lookalike_period=0,
    lookalikes=(1, 2),
    returning=2,
    occluders=2,
    pan=3.5,
    stream=1,
)
CROWD = SceneSettings(
    objects=(7, 10),
    size=(26.0, 56.0),
    speed=(2.0, 7.0),
    lookalike_period=0,
    lookalikes=(2, 4),
    returning=2,
    occluders=2,
    stream=2,
)
RETURNS = ReturnsSettings()
