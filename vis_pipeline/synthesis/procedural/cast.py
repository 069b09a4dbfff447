"""Who is in a video: what each object is, whatever it does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.synthesis.procedural import forms, shapes, textures
from vis_pipeline.synthesis.procedural.forms import Form
from vis_pipeline.synthesis.procedural.settings import ReturnsSettings, SceneSettings, VideoSettings
from vis_pipeline.synthesis.procedural.textures import Image


@dataclass(frozen=True)
class Character:
    """What an object is, whatever it does: its category, texture (a pattern in two colours, BGR [2, 3]) and form."""

    category: str
    pattern: str
    colours: NDArray[np.float64]
    texture: Image
    form: Form

    @property
    def radius(self) -> float:
        """Largest distance of the outline from the centre, about, in pixels."""
        return self.form.size.mean * shapes.extent(self.category)


def draw_cast(
    rng: np.random.Generator,
    settings: SceneSettings,
    count: int,
    copies: int,
    first_category: int,
    background: NDArray[np.float64],
) -> list[Character]:
    """Characters of a video; those from 1 to `copies` look like character 0."""
    names = shapes.CATEGORY_NAMES
    leading = [first_category] * (copies + 1) + [first_category + len(names) // 2]
    drawn = rng.integers(0, len(names), count)
    categories = [names[int(number) % len(names)] for number in [*leading, *drawn[len(leading) :]][:count]]
    cast: list[Character] = []
    for position, category in enumerate(categories):
        if 0 < position <= copies:
            size = cast[0].form.size.mean * rng.uniform(0.85, 1.18)
            colours = np.clip(cast[0].colours + rng.normal(0, 6, (2, 3)), 0, 255)
            pattern = cast[0].pattern
        else:
            size = float(np.exp(rng.uniform(*np.log(settings.size)))) * (1.0 if count < 5 else 0.85)
            colours = textures.object_colours(rng, background, settings.contrast)
            pattern = str(rng.choice(textures.PATTERNS))
        cast.append(_character(rng, settings, category, pattern, colours, size))
    return cast


def draw_pairs(
    rng: np.random.Generator,
    settings: ReturnsSettings,
    count: int,
    first_category: int,
    background: NDArray[np.float64],
) -> list[Character]:
    """`count` pairs, each of another category: characters 2k and 2k + 1 differ in shade, texture and form alone."""
    names = shapes.CATEGORY_NAMES
    cast: list[Character] = []
    for pair in range(count):
        category = names[(first_category + pair * len(names) // count) % len(names)]
        colours = textures.object_colours(rng, background, settings.contrast)
        pattern = str(rng.choice(textures.PATTERNS))
        size = float(np.exp(rng.uniform(*np.log(settings.size))))
        shaded = textures.other_shade(rng, colours, background, settings.shade, settings.contrast)
        for look in (colours, shaded):
            cast.append(_character(rng, settings, category, pattern, look, size * rng.uniform(0.95, 1.05)))
    return cast


def _character(
    rng: np.random.Generator,
    settings: VideoSettings,
    category: str,
    pattern: str,
    colours: NDArray[np.float64],
    size: float,
) -> Character:
    """One with a texture and a form of its own, its size brought into the range of the settings."""
    size = float(np.clip(size, settings.size[0], min(settings.size[1], 62.0 / shapes.extent(category))))
    texture = textures.object_texture(rng, pattern, colours)
    return Character(category, pattern, colours, texture, forms.random_form(rng, settings, size))
