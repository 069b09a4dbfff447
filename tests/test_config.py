from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from vis_pipeline.config import STRICT, find_config, load_config, parse
from vis_pipeline.errors import ConfigError


@dataclass(frozen=True, config=STRICT)
class Inner:
    threshold: float = Field(default=0.5, ge=0, le=1)
    window: int = 3


@dataclass(frozen=True, config=STRICT)
class Stills:
    images: str
    weight: float = 1.0
    type: Literal["stills"] = "stills"


@dataclass(frozen=True, config=STRICT)
class Videos:
    frames: str
    inner: Inner = Inner()
    type: Literal["videos"] = "videos"


Source = Annotated[
    Annotated[Stills, Tag("stills")] | Annotated[Videos, Tag("videos")], Discriminator(lambda value: value["type"])
]


@dataclass(frozen=True, config=STRICT)
class Outer:
    name: str
    inner: Inner = Inner()
    maybe: Inner | None = None
    sources: tuple[Source, ...] = ()
    rates: dict[Literal["slow", "fast"], float] = Field(default_factory=dict)
    sides: tuple[int, int] | int = 3


def test_values_become_typed_settings() -> None:
    assert parse(Outer, {"name": "a", "inner": {"threshold": 1}}, "here") == Outer("a", Inner(threshold=1.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "a", "iner": {}}, "here: unknown key 'iner'; did you mean 'inner'?"),
        ({"name": "a", "inner": {"treshold": 1}}, "here: unknown key 'inner.treshold'; did you mean 'threshold'?"),
        ({"name": "a", "maybe": {"windw": 1}}, "here: unknown key 'maybe.windw'; did you mean 'window'?"),
        ({"name": "a", "zzz": 1}, "here: unknown key 'zzz'; valid: inner, maybe, name, rates, sides, sources"),
        ({"inner": {}}, "here: key 'name' is missing"),
        ({"nam": "a"}, "here: unknown key 'nam'; did you mean 'name'?"),
        (
            {"name": "a", "inner": {"threshold": 7}},
            "here: inner.threshold = 7: Input should be less than or equal to 1",
        ),
    ],
)
def test_faults_name_the_key(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, values, "here")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"sources": [{"type": "stills", "images": "a", "weight": "x"}]},
            "here: sources.0.weight = 'x': Input should be a valid number, unable to parse string as a number",
        ),
        (
            {"sources": [{"type": "videos", "frames": "a"}, {"type": "stills", "images": "a", "wight": 1}]},
            "here: unknown key 'sources.1.wight'; did you mean 'weight'?",
        ),
        ({"sources": [{"type": "videos"}]}, "here: key 'sources.0.frames' is missing"),
        (
            {"sources": [{"type": "videos", "frames": "a", "inner": {"treshold": 1}}]},
            "here: unknown key 'sources.0.inner.treshold'; did you mean 'threshold'?",
        ),
        ({"rates": {"slwo": 1.0}}, "here: rates.slwo = 'slwo': Input should be 'slow' or 'fast'"),
        (
            {"sides": [1, "x"]},
            "here: sides.1 = 'x': Input should be a valid integer, unable to parse string as an integer",
        ),
    ],
)
def test_a_key_has_no_part_that_the_config_does_not_have(values: dict[str, object], message: str) -> None:
    """Pydantic says which class, form or side of a mapping it was at, too."""
    with pytest.raises(ConfigError) as caught:
        parse(Outer, {"name": "a", **values}, "here")
    assert str(caught.value) == message


def test_packaged_configs_are_found_by_name(tmp_path: Path) -> None:
    assert find_config("pipelines/procedural_small") == find_config("procedural_small.py")
    own = tmp_path / "own.py"
    own.write_text("a = 1\n")
    assert find_config(str(own)) == own
    with pytest.raises(ConfigError, match=r"did you mean 'pipelines/procedural_small'\?"):
        find_config("pipelines/procedural_smal")


def test_overrides_reach_into_the_config(tmp_path: Path) -> None:
    path = tmp_path / "base.py"
    path.write_text("a = dict(b=1, c='x')\n")
    config = load_config(str(path), ["a.b=2.5", "a.d=[1,2]"])
    assert config.a.to_dict() == {"b": 2.5, "c": "x", "d": [1, 2]}
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        load_config(str(path), ["a.b"])


def test_a_config_that_does_not_run_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("a = undefined_name\n")
    with pytest.raises(ConfigError, match=r"broken\.py: NameError"):
        load_config(str(path))
