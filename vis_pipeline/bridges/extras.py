"""Packages that not everybody has."""

from importlib import import_module
from typing import Any

from vis_pipeline.errors import ConfigError


def extra(module: str, name: str) -> Any:
    """The module of an optional package, which the extra `name` of this package installs.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed; pip install 'vis-pipeline[{name}]' does that") from error
