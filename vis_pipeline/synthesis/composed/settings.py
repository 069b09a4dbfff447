"""What a composed video may contain; times in frames, angles in radians."""

from dataclasses import dataclass

from vis_pipeline.synthesis.common.motion import Stage


@dataclass(frozen=True)
class ComposeSettings:
    """Ranges from which a video is drawn; pairs are (lowest, highest), lengths shares of the frame's shorter side.

    Attributes:
        width, height: of the frames, pixels.
        length: frames of a video.
        objects: cut-outs in a video.
        classes: most classes that a video's cut-outs are of; None lets each be of any.
        size: square root of a cut-out's area at mid-video.
        reach: most from a cut-out's centre to its farthest point, so that long ones do not cross the frame.
        magnification: most that a cut-out is enlarged, so that it does not look soft beside the background.
        speed: of a cut-out's centre, a frame.
        tilt: standard deviation of a cut-out's lean; `sway`: largest amplitude of its rocking.
        spin: largest turning rate, a frame.
        growth: largest relative change of size, a frame.
        bend: largest relative displacement by a cut-out's own bending.
        shutter: part of the frame interval during which the shutter is open (motion blur).
        lookalike: probability that a video has lookalikes; `lookalikes`: how many there are of the first object.
        twin: probability that a lookalike is the same cut-out rather than another one of its class.
        crossing, returning, entering, leaving, edge: probabilities of what a cut-out does; else it wanders.
        occluders: most pieces of background that pass in front of everything.
        defocus: probability that a cut-out is out of focus for good, and that the whole picture is for a while.
        blur: largest standard deviation of that, in pixels of a frame of 320x192.
        light: largest relative change of brightness, of the picture and of a cut-out, over the video.
        match: how far a cut-out's mean colour is drawn to the background's, 0 (not) to 1 (wholly).
        noise: standard deviation of the sensor's noise, 0 to 255.
        zoom: share of the background's largest fitting rectangle that the frame shows.
        pan: largest speed of the background, a frame.
        own_objects: a background with more annotated objects than this is left out. They become tracks too; with 0,
            only backgrounds without any serve.
        least_pixels: smallest area of an instance that is cut out, pixels of its photograph.
        stream: number of the random stream, so that two settings do not draw related videos from one seed.
    """

    width: int = 320
    height: int = 192
    length: int = 24
    objects: tuple[int, int] = (2, 6)
    classes: int | None = None
    size: tuple[float, float] = (0.18, 0.6)
    reach: float = 0.5
    magnification: float = 1.5
    speed: tuple[float, float] = (0.005, 0.028)
    tilt: float = 0.08
    sway: float = 0.08
    spin: float = 0.01
    growth: float = 0.012
    bend: float = 0.03
    shutter: float = 0.5
    lookalike: float = 0.6
    lookalikes: tuple[int, int] = (1, 1)
    twin: float = 0.5
    crossing: float = 0.3
    returning: float = 0.15
    entering: float = 0.12
    leaving: float = 0.12
    edge: float = 0.1
    occluders: int = 1
    defocus: float = 0.25
    blur: float = 0.9
    light: float = 0.12
    match: float = 0.35
    noise: float = 2.0
    zoom: tuple[float, float] = (0.6, 0.95)
    pan: float = 0.008
    own_objects: int = 8
    least_pixels: int = 1500
    stream: int = 100

    @property
    def stage(self) -> Stage:
        """Where the objects move."""
        side = self.side
        return Stage(self.width, self.height, self.length, (self.speed[0] * side, self.speed[1] * side), self.unit)

    @property
    def side(self) -> int:
        """The frame's shorter side in pixels."""
        return min(self.width, self.height)

    @property
    def unit(self) -> float:
        """Pixels that a pixel of a frame of 320x192 is here."""
        return self.side / 192


NORMAL = ComposeSettings()
HARD = ComposeSettings(
    objects=(3, 8),
    speed=(0.012, 0.045),
    tilt=0.15,
    sway=0.15,
    spin=0.03,
    growth=0.02,
    bend=0.05,
    shutter=0.6,
    lookalike=1.0,
    lookalikes=(1, 3),
    twin=0.6,
    crossing=0.45,
    returning=0.18,
    occluders=3,
    defocus=0.4,
    blur=1.2,
    light=0.25,
    noise=3.5,
    pan=0.015,
    stream=101,
)
CROWD = ComposeSettings(
    objects=(5, 8),
    classes=2,
    size=(0.2, 0.48),
    speed=(0.006, 0.028),
    tilt=0.06,
    lookalike=1.0,
    lookalikes=(1, 3),
    twin=0.25,
    crossing=0.7,
    returning=0.06,
    entering=0.08,
    leaving=0.06,
    edge=0.02,
    occluders=1,
    own_objects=1,
    stream=102,
)
