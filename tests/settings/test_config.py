from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from detectors.mmdet_config import read_config
from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import STRICT, find_config, load_config, parse, refuse_code


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
    for below in (["a=plain", "a.b=1"], ["a.b.c=1"]):
        with pytest.raises(ConfigError, match="a key lies below a plain value"):
            load_config(str(path), below)


def test_a_config_that_does_not_run_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("a = undefined_name\n")
    with pytest.raises(ConfigError, match=r"broken\.py: does not load \(NameError"):
        load_config(str(path))


@pytest.fixture
def code_is_refused():
    refuse_code()
    yield
    refuse_code(False)


def test_yaml_and_json_are_data(tmp_path: Path) -> None:
    ran = tmp_path / "RAN"
    for name in ("c.yaml", "c.yml"):
        (tmp_path / name).write_text(f'b: !!python/object/apply:os.system ["touch {ran}"]\n')
        for read in (load_config, read_config):
            with pytest.raises(ConfigError, match=f"{name}: does not load .*could not determine a constructor"):
                read(str(tmp_path / name))
    assert not ran.exists()
    (tmp_path / "base.yaml").write_text("detector: {config: a, checkpoint: b}\nsiammask: null\n")
    (tmp_path / "child.yaml").write_text("_base_: base.yaml\ndetector: {config: c}\n")
    config = load_config(str(tmp_path / "child.yaml"))
    assert config.detector == {"config": "c", "checkpoint": "b"}
    (tmp_path / "base.yaml").write_text(f'b: !!python/object/apply:os.system ["touch {ran}"]\n')
    with pytest.raises(ConfigError, match="could not determine a constructor"):
        load_config(str(tmp_path / "child.yaml"))
    assert not ran.exists()


def test_code_can_be_refused(tmp_path: Path, code_is_refused: None) -> None:
    code = tmp_path / "mine.py"
    code.write_text("raise SystemExit('ran')\n")
    for read in (load_config, read_config):
        with pytest.raises(
            ConfigError, match=r"mine\.py: is Python code, or based on some, which --safe-config refuses"
        ):
            read(str(code))
    for base in ("mine.py", f"[{code}]"):
        (tmp_path / "based.yaml").write_text(f"_base_: {base}\n")
        with pytest.raises(ConfigError, match=r"based\.yaml: is Python code, or based on some"):
            load_config(str(tmp_path / "based.yaml"))
    (tmp_path / "mine.json").write_text('{"tracker": null}')
    assert load_config(str(tmp_path / "mine.json")).tracker is None
    assert "detector" in load_config("procedural_small")
    assert "model" in read_config("htc_small_mixed")
    assert "model" in read_config("mmdet::htc/htc-without-semantic_r50_fpn_1x_coco.py")
