"""What splits and results share in reading: entries checked by their types, clear lines."""

import json
import textwrap
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vis_pipeline.errors import DataError

LONGEST_MESSAGE = 300
# Bytes held in the end for each byte of a file, with masks of some hundred characters.
MEMORY_RATIO = 1.8
# What arrays of ids can hold.
Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Entry(BaseModel):
    """An object of the file; other keys than those asked for are let be."""

    # Text is no number and true is no id: what reads as something else here would be scored otherwise elsewhere.
    model_config = ConfigDict(strict=True)


_Entry = TypeVar("_Entry", bound=Entry)


def parsed(kind: type[_Entry], content: Any) -> _Entry:
    """The entry, its types checked.

    Raises:
        DataError: it is not of this kind; the key at fault is named.
    """
    if not isinstance(content, dict):
        raise DataError(f"not an object but {_shown(content)}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            hint = " (`image_id` is COCO's form for images)" if "image_id" in content else ""
            raise DataError(f"`{where}` is missing{hint}") from error
        if first["type"] == "model_type":
            raise DataError(f"{where}: not an object but {_shown(first['input'])}") from error
        if first["type"] == "too_short":
            raise DataError(f"{where}: empty") from error
        raise DataError(f"{where}: {first['msg']}, not {_shown(first['input'])}") from error


def one_line(message: object) -> str:
    """A message of bounded length in one line, whatever the file put into it."""
    text = str(message).encode(errors="backslashreplace").decode()
    return textwrap.shorten(text, LONGEST_MESSAGE, placeholder=" ...")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return textwrap.shorten(json.dumps(value), 40, placeholder="...")
