"""Configs that are data, YAML and JSON, looked at before mmengine reads them: it runs what some of their keys name.

`custom_imports` imports modules, a `type` with a dot is looked up by importing, and a `_base_` may be Python.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from vis_pipeline.errors import ConfigError
from vis_pipeline.files.json_files import parsed_json
from vis_pipeline.files.regular_files import read_text

BASE = "_base_"
CODE_SUFFIX = ".py"
IMPORTS = "custom_imports"
# Values, what is meant twice counted twice: a few lines of YAML can mean billions. mmdet's largest has 2,000.
MOST_VALUES = 200_000
MOST_BASES = 50
_WITHIN = "cannot refer to itself"


def require_plain(path: Path, packaged: Path) -> None:
    """Refuse a config of data that would run code, that has no end, or that is based on code not below `packaged`.

    Raises:
        ConfigError: it does; the text says why, not where.
        OSError, ValueError, yaml.YAMLError, DataError: it, or what it is based on, cannot be read.
    """
    _require_plain(path, packaged, ())


def load_yaml(text: Any) -> Any:
    """The value of YAML, as plain data: a tag that asks for an object of Python is an error.

    Raises:
        yaml.YAMLError: it is none.
    """
    # mmengine looks through all of mmdet's hundred files for one name: a second, or a tenth of one with libyaml.
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _require_plain(path: Path, packaged: Path, derived: tuple[Path, ...]) -> None:
    if path in derived or len(derived) > MOST_BASES:
        raise ConfigError(f"is based on itself ({path.name})")
    content = _content(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name} holds no keys with values")
    _require_end(content)
    if IMPORTS in content:
        raise ConfigError(f"{path.name} has {IMPORTS}, which runs code, and is data; write it as a {CODE_SUFFIX} file")
    for kind in _types(content):
        if "." in kind:
            raise ConfigError(
                f"{path.name} has the type {kind!r}, which is looked up by running code, and is data; "
                f"give a registered name, or write it as a {CODE_SUFFIX} file"
            )
    bases = content.get(BASE, [])
    for base in [bases] if isinstance(bases, str) else bases:
        # A name such as `mmdet::...` is of that package.
        if "::" in base:
            continue
        found = (path.parent / base).resolve()
        if packaged in found.parents:
            continue
        if found.suffix == CODE_SUFFIX:
            raise ConfigError(f"{path.name} is data and is based on code ({base}); write it as a {CODE_SUFFIX} file")
        _require_plain(found, packaged, (*derived, path))


def _content(path: Path) -> Any:
    text = read_text(path)
    return parsed_json(text) if path.suffix == ".json" else load_yaml(text)


def _require_end(content: Any) -> None:
    """Refuse what means more than :data:`MOST_VALUES` values, or is a part of itself."""
    counts: dict[int, int] = {}
    within: set[int] = set()

    def count(value: Any) -> int:
        if not isinstance(value, dict | list):
            return 1
        key = id(value)
        if key in within:
            raise ConfigError(_WITHIN)
        if key not in counts:
            within.add(key)
            counts[key] = 1 + sum(map(count, _parts(value)))
            within.remove(key)
        return counts[key]

    if count(content) > MOST_VALUES:
        raise ConfigError(f"means more than {MOST_VALUES:,} values")


def _types(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and isinstance(value.get("type"), str):
        yield value["type"]
    if isinstance(value, dict | list):
        for part in _parts(value):
            yield from _types(part)


def _parts(value: dict[Any, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
