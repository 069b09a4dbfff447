"""What a procedural scene may contain; lengths in pixels, times in frames, angles in radians."""

from dataclasses import dataclass

from vis_pipeline.synthesis.common.motion import Stage


@dataclass(frozen=True)
class SceneSettings:
    """Ranges from which a video is drawn; pairs are (lowest, highest).

    Attributes:
        speed: of an object's centre, pixels per frame.
        spin: largest turning rate, radians per frame.
        shutter: part of the frame interval during which the shutter is open (motion blur).
        size: square root of an object's area at mid-video.
        contrast: least CIELAB distance between an object's main colour and the background's colours.
        lookalike_period: every video has a lookalike but each `lookalike_period`-th (0: all have).
        lookalikes: how many objects look like the first one, in a video with lookalikes.
        returning: least number of objects that leave the frame and come back.
        occluders: most background pieces that pass in front of objects.
        pan: largest speed of the background, pixels per frame.
        stream: number of the random stream, so that two settings do not draw related videos from one seed.
    """

    width: int = 320
    height: int = 192
    length: int = 24
    objects: tuple[int, int] = (2, 6)
    size: tuple[float, float] = (30.0, 72.0)
    speed: tuple[float, float] = (2.0, 6.5)
    spin: float = 0.08
    shutter: float = 0.5
    contrast: float = 34.0
    lookalike_period: int = 4
    lookalikes: tuple[int, int] = (1, 1)
    returning: int = 1
    occluders: int = 1
    pan: float = 2.0
    stream: int = 0

    @property
    def stage(self) -> Stage:
        """Where the objects move."""
        return Stage(self.width, self.height, self.length, self.speed)


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
