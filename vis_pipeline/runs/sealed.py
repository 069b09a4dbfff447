"""JSON objects that begin with the digest of all that follows, so that no byte of them changes unnoticed."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

KEY = "sha256"
_SEAL = re.compile(rb'\{"%s": "([0-9a-f]{64})", ' % KEY.encode())


def sealed(content: Mapping[str, Any]) -> str:
    """The text of an object with its digest as the first member."""
    rest = json.dumps(content).removeprefix("{")
    return f'{{"{KEY}": "{_digest(rest.encode())}", {rest}'


def is_intact(text: bytes) -> bool:
    """Whether what follows is what the digest is of; also for a text that has none, as earlier versions wrote it."""
    seal = _SEAL.match(text)
    return seal is None or _digest(text[seal.end() :]) == seal[1].decode()


def _digest(rest: bytes) -> str:
    return hashlib.sha256(rest).hexdigest()
