from pathlib import Path

import pytest
import torch
from device_waits import READING, UPLOADING, NoWaiting, refusing

SHARED = Path(__file__).resolve().parents[3].parent / "shared"


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip("the development data is not beside the checkout")
    return SHARED


@pytest.fixture
def no_waiting(monkeypatch):
    """Called, it begins to refuse what the dispatcher shows and what Python reads before it."""

    def begin():
        for name in READING:
            monkeypatch.setattr(torch.Tensor, name, refusing(name))
        for name in UPLOADING:
            monkeypatch.setattr(torch, name, refusing(name))
        return NoWaiting()

    return begin
