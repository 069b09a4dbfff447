import pytest
import torch

from vis_pipeline.settings.device import gpu_share, videos_at_a_time


@pytest.mark.parametrize(
    ("workers", "cards", "share"), [(1, 1, 1), (2, 1, 1 / 2), (3, 2, 1 / 2), (2, 2, 1), (1, 4, 1), (5, 2, 1 / 3)]
)
def test_shares_of_whole_cards(monkeypatch, workers, cards, share):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    assert gpu_share("cuda", workers) == pytest.approx(share)
    # Ray packs them: so many workers fit on each card.
    assert cards * int(1 / gpu_share("cuda", workers) + 1e-9) >= workers
    assert gpu_share("cpu", workers) == gpu_share("cuda:1", workers) == 0


def test_without_a_card_there_is_no_share(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpu_share("cuda", 2) == 0


@pytest.mark.parametrize(
    ("gigabytes", "share", "together"), [(80, 1, 8), (8, 1, 2), (8, 0.5, 1), (1, 1, 1), (16, 0.75, 4)]
)
def test_so_many_videos_go_together_as_half_the_memory_holds(monkeypatch, gigabytes, share, together):
    """A frame of 1280x720 with 200 masks takes 1.5 GB."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (gigabytes * 10**9, 2 * gigabytes * 10**9))
    assert videos_at_a_time("cuda", share, 1280 * 720, 200) == together
    assert videos_at_a_time("cpu", share, 1280 * 720, 200) == 1
