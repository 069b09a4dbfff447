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
        with pytest.raises(ConfigError, match=r"mine\.py: is Python code, which --safe-config refuses"):
            read(str(code))
    (tmp_path / "mine.json").write_text('{"tracker": null}')
    assert load_config(str(tmp_path / "mine.json")).tracker is None
    assert "detector" in load_config("procedural_small")
    assert "model" in read_config("htc_small_mixed")
    assert "model" in read_config("mmdet::htc/htc-without-semantic_r50_fpn_1x_coco.py")


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("c.json", '{"custom_imports": {"imports": ["planted"]}, "model": {}}', "custom_imports, which runs code"),
        ("c.yaml", "custom_imports: {imports: [planted]}\nmodel: {}", "custom_imports, which runs code"),
        ("c.json", '{"model": {"type": "os.system", "command": "touch RAN"}}', r"the type 'os\.system'"),
        ("c.yaml", "model: {heads: [{type: mmengine.load, file: x.pkl}]}", r"the type 'mmengine\.load'"),
        ("c.json", '{"_base_": "planted.py"}', r"based on code \(planted\.py\)"),
        ("c.yaml", "_base_: [mid.yaml]", r"based on code \(planted\.py\)"),
        ("c.json", '{"_base_": "c.json"}', "based on itself"),
        ("c.yaml", _BOMB, "more than 200,000 values"),
        ("c.yaml", "a: &a [*a]", "refer to itself"),
        ("c.json", "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("c.yaml", "[" * 100_000 + "]" * 100_000, "does not load"),
        ("c.json", "[1]", "holds no keys"),
        ("c.yaml", "", "holds no keys"),
        ("c.json", '{"_base_": 3}', "does not load"),
    ],
)
def test_what_is_data_runs_no_code_and_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "planted.py").write_text("import pathlib\npathlib.Path('RAN').touch()\n")
    (tmp_path / "mid.yaml").write_text("_base_: planted.py\n")
    (tmp_path / name).write_text(content)
    for read in (load_config, read_config):
        with pytest.raises(ConfigError, match=words):
            read(name)
    assert not (tmp_path / "RAN").exists()


def test_a_type_that_no_registry_has_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its dots come from another key, or it has none."""
    from detectors.mmdet_network import build_model

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "planted.py").write_text("import pathlib\npathlib.Path('RAN').touch()\n")
    (tmp_path / "base.json").write_text('{"command": "os.system"}')
    (tmp_path / "c.json").write_text('{"_base_": "base.json", "model": {"type": "{{_base_.command}}", "command": "x"}}')
    (tmp_path / "d.json").write_text('{"model": {"type": "planted"}}')
    for name in ("c.json", "d.json"):
        with pytest.raises(ConfigError):
            build_model(read_config(name), name, tmp_path / "none.pth")
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize("code", ["raise SystemExit", "import sys; sys.exit(3)", "raise SystemExit('bye')"])
def test_a_config_that_leaves_is_refused(tmp_path: Path, code: str) -> None:
    (tmp_path / "leaves.py").write_text(code)
    for read in (load_config, read_config):
        with pytest.raises(ConfigError, match=r"leaves\.py: does not load \(SystemExit"):
            read(str(tmp_path / "leaves.py"))
