"""Config files at the border: mmengine files in, frozen dataclasses out.

A config is named by a path, or by its name inside the packaged `configs/` (`pipelines/procedural_small`, or its last
part alone where that is unique). Settings classes are pydantic dataclasses made with :data:`STRICT`.

A `.py` config is code and is run. YAML and JSON are data, and what in them would run code is refused
(:mod:`~vis_pipeline.settings.plain_configs`): mmengine's own reader of YAML runs what its tags ask for, so importing
this module puts a safe one in its place, for mmdet's configs too. :func:`refuse_code` refuses all code.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from mmengine.config import Config, DictAction
from mmengine.fileio import YamlHandler, register_handler
from pydantic import ConfigDict, TypeAdapter, ValidationError

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.misspelt import did_you_mean
from vis_pipeline.settings.plain_configs import CODE_SUFFIX, load_yaml, require_plain

STRICT = ConfigDict(extra="forbid")
"""Pydantic configuration of every settings dataclass: an unknown key is an error."""

SettingsT = TypeVar("SettingsT")

_UNKNOWN = "unexpected_keyword_argument"
# Beside this package, and not whatever else is called `configs` on the import path.
_PACKAGED = Path(__file__).resolve().parents[2] / "configs"


@register_handler(["yaml", "yml"])
class _DataHandler(YamlHandler):  # type: ignore[misc]
    """YAML as plain data: a tag that asks for an object of Python is an error."""

    def load_from_fileobj(self, file: Any, **kwargs: Any) -> Any:
        return load_yaml(file)


class _CodePolicy:
    """Whether `.py` configs that are not packaged may run in this process."""

    refused = False


def refuse_code(refused: bool = True) -> None:
    """From now on refuse configs that are code, unless they come with a package."""
    _CodePolicy.refused = refused


def read_config_file(path: Path, named: str, packaged: Path = _PACKAGED) -> Config:
    """Read one config file; `named` is what messages call it, and below `packaged` lie those that may be code.

    Raises:
        ConfigError: it cannot be read, or is code while that is refused.
    """
    try:
        _require_allowed(path, packaged)
        return Config.fromfile(str(path), lazy_import=False, import_custom_modules=path.suffix == CODE_SUFFIX)
    except ConfigError as error:
        raise ConfigError(f"config {named}: {error}") from error
    except (Exception, SystemExit) as error:  # a config may be Python: whatever it raises is the config's fault
        raise ConfigError(f"config {named}: does not load ({type(error).__name__}: {error})") from error


def _require_allowed(path: Path, packaged: Path) -> None:
    """What a package brings may be code, and any other `.py` file unless it is refused; data may not run any."""
    if packaged in path.resolve().parents:
        return
    if path.suffix != CODE_SUFFIX:
        require_plain(path, packaged)
    elif _CodePolicy.refused:
        raise ConfigError("is Python code, which --safe-config refuses")


def find_config(name: str) -> Path:
    """The file that a path or a packaged config's name stands for.

    Raises:
        ConfigError: there is no such file, or the short name fits several.
    """
    path = Path(name)
    if path.is_file():
        return path
    wanted = name.removesuffix(".py")
    known = {file.relative_to(_PACKAGED).with_suffix("").as_posix(): file for file in _PACKAGED.rglob("[a-z]*.py")}
    fitting = [key for key in known if key == wanted or key.endswith(f"/{wanted}")]
    if len(fitting) == 1:
        return known[fitting[0]]
    if fitting:
        raise ConfigError(f"config {name}: fits {' and '.join(sorted(fitting))}; give one of these")
    raise ConfigError(f"config {name}: no such file or packaged config{_nearest(wanted, known)}")


def load_config(name: str, options: Sequence[str] = ()) -> Config:
    """Read a config and apply overrides of the form `a.b=value` (values as mmdet's `--cfg-options` reads them).

    Raises:
        ConfigError: the file cannot be found or read, or an override has no `=` or does not fit.
    """
    path = find_config(name)
    config = read_config_file(path, str(path))
    overrides = parse_options(options)
    try:
        config.merge_from_dict(overrides)
    except (TypeError, KeyError, AttributeError) as error:
        given = " ".join(options)
        raise ConfigError(f"config {path}: --cfg-options {given}: a key lies below a plain value") from error
    return config


def absolute_reference(reference: str) -> str:
    """A file that is here by its whole path, for a process that runs in another folder; any other name as it is."""
    path = Path(reference)
    return str(path.resolve()) if path.is_file() else reference


def parse_options(options: Iterable[str]) -> dict[str, Any]:
    """Overrides of the form `a.b=value` as a mapping from dotted keys to values.

    Raises:
        ConfigError: an override has no `=`.
    """
    return dict(_override(option) for option in options)


def parse(settings: type[SettingsT], values: Mapping[str, Any], where: str) -> SettingsT:
    """Turn a mapping into a settings dataclass; `where` names the config in errors.

    Raises:
        ConfigError: a key is unknown (the nearest valid one is named), missing, or has an unfit value.
    """
    plain = values.to_dict() if isinstance(values, Config) else dict(values)
    try:
        return TypeAdapter(settings).validate_python(plain)
    except ValidationError as error:
        # A key that is misspelt is also missing under its right name.
        first = min(error.errors(), key=lambda fault: fault["type"] != _UNKNOWN)
        location, missing = first["loc"], first["type"] in ("missing", "missing_argument")
        key = ".".join(_written(location, plain) + [str(location[-1])] * missing)
        if first["type"] == _UNKNOWN:
            raise ConfigError(
                f"{where}: unknown key '{key}'{_nearest(str(location[-1]), _keys(settings, location))}"
            ) from None
        if missing:
            raise ConfigError(f"{where}: key '{key}' is missing") from None
        raise ConfigError(f"{where}: {key} = {first['input']!r}: {first['msg']}") from None


def kind_of(default: str) -> Callable[[Any], Any]:
    """For a union of settings told apart by `type`: the one that an entry names, or `default` where it names none."""

    def kind(value: Any) -> Any:
        return value.get("type", default) if isinstance(value, Mapping) else getattr(value, "type", default)

    return kind


def kind_in_full(value: Any) -> Any:
    """In such a union a kind may stand for itself with nothing set: its name is an entry of that `type`."""
    return {"type": value} if isinstance(value, str) else value


def _override(option: str) -> tuple[str, Any]:
    key, equals, value = option.partition("=")
    if not equals or not key:
        raise ConfigError(f"--cfg-options {option}: expected KEY=VALUE")
    try:
        return key, DictAction._parse_iterable(value)
    except (RecursionError, AssertionError, ValueError) as error:
        raise ConfigError(f"--cfg-options {option}: cannot be read; put such a value into a config file") from error


def _written(location: Sequence[int | str], values: Any) -> list[str]:
    """The parts of a location that `values` have; the others are pydantic's names of the forms that it tried."""
    written = []
    for part in location:
        if _holds(values, part):
            values = values[part]
            written.append(str(part))
    return written


def _holds(values: Any, part: int | str) -> bool:
    if isinstance(values, Mapping):
        return part in values
    return isinstance(values, Sequence) and isinstance(part, int) and part < len(values)


def _keys(settings: Any, location: Sequence[int | str]) -> list[str]:
    """The valid keys at the level of the last part of `location`.

    A field may be a settings class, None, or a tuple of either; of several classes, told apart by their `type`, a part
    of the location names one.
    """
    levels = [settings]
    for part in location[:-1]:
        named = [level for level in levels if getattr(level, "type", None) == part]
        hints = [get_type_hints(level).get(str(part)) for level in levels]
        levels = named or [inner for hint in hints for inner in _settings_in(hint)] or levels
    return [field.name for level in levels for field in fields(level)]


def _settings_in(hint: Any) -> list[Any]:
    if is_dataclass(hint):
        return [hint]
    return [inner for option in get_args(hint) for inner in _settings_in(option)]


def _nearest(word: str, candidates: Collection[str]) -> str:
    return did_you_mean(word, candidates) or f"; valid: {', '.join(sorted(candidates))}"
