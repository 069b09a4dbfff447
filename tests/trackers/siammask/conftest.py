from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3].parent / "shared"


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip("the development data is not beside the checkout")
    return SHARED
