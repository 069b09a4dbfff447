import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Small networks learn no faster on more, and a resumed training is compared bit for bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
