"""Several processes that train one detector together, as `torchrun` starts them.

Each takes its own draws and computes on its own batch; gradients are averaged. `batch_size` of a config is that of one
process. What is written is written by the first.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from mmengine.model import MMDistributedDataParallel
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from vis_pipeline.errors import ConfigError

_PATIENCE = timedelta(minutes=30)


@contextmanager
def joined() -> Iterator[int]:
    """Be one of the processes that this one was started with, and give their number; 1 without a launcher.

    Processes take the cards in turn. Those that share a card, or have none, average their gradients through memory
    (gloo), since NCCL wants a card for each.

    Raises:
        ConfigError: the launcher's variables are not those of torchrun.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield 1
        return
    try:
        place, beside = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    except KeyError as error:
        raise ConfigError(
            f"WORLD_SIZE={count}, but {error.args[0]} is not set; start the training with torchrun"
        ) from None
    cards = torch.cuda.device_count()
    if cards:
        torch.cuda.set_device(place % cards)
        # mmengine takes this for the number of a card, and looks it up among those that there are.
        os.environ["LOCAL_RANK"] = str(place % cards)
    distributed.init_process_group("nccl" if beside <= cards else "gloo", timeout=_PATIENCE)
    try:
        yield count
    finally:
        distributed.destroy_process_group()


def is_first() -> bool:
    """Whether this process was started as the first of its launch, or alone."""
    return os.environ.get("RANK", "0") == "0"


def in_step(model: nn.Module) -> nn.Module:
    """The model, on this process's device, so that its gradients are those of all processes."""
    if torch.cuda.is_available():
        card = torch.cuda.current_device()
        model, cards = model.cuda(card), [card]
    else:
        cards = None
    # A batch without objects gives the heads of masks nothing to learn from.
    together: nn.Module = MMDistributedDataParallel(
        module=model, device_ids=cards, broadcast_buffers=False, find_unused_parameters=True
    )
    return together


def alone(model: nn.Module) -> nn.Module:
    """The model that :func:`in_step` was given; another as it is."""
    return model.module if isinstance(model, DistributedDataParallel) else model
