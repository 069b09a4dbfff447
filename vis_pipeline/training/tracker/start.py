"""What a training starts from."""

from pathlib import Path

from vis_pipeline.backbones.efficientnet_lite import EfficientNetLite0
from vis_pipeline.errors import WeightsError
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.training.tracker.recipe import BackboneStart, NetworkStart
from vis_pipeline.weights.efficientnet_lite import load_efficientnet_lite0
from vis_pipeline.weights.files import is_counter, read_state_dict
from vis_pipeline.weights.imagenet import LoadReport, load_backbone
from vis_pipeline.weights.normalisation import RAW_BGR
from vis_pipeline.weights.registry import resolve


def start_from(network: SiamMask, settings: BackboneStart | NetworkStart) -> LoadReport:
    """Load what the settings name, and say what became of it.

    Raises:
        WeightsError: the file cannot be read, has a tensor of another shape, or nothing of the network.
    """
    if isinstance(settings, BackboneStart):
        trunk = network.features.features
        if isinstance(trunk, EfficientNetLite0):
            return load_efficientnet_lite0(trunk, settings.path, RAW_BGR)
        return load_backbone(trunk, settings.path)
    return load_network(network, resolve(settings.path))


def load_network(network: SiamMask, path: Path) -> LoadReport:
    """Set the tensors of a network that a SiamMask's file has, in our keys or the release's: they are the same.

    Raises:
        WeightsError: the file cannot be read, has a tensor of another shape, or nothing of the network.
    """
    tensors = read_state_dict(path)
    expected = {name: value for name, value in network.state_dict().items() if not is_counter(name)}
    found = {name: tensors[name] for name in expected if name in tensors}
    if not found:
        raise WeightsError(f"weights {path}: holds no tensor of a SiamMask")
    misfit = next((name for name, value in found.items() if value.shape != expected[name].shape), None)
    if misfit is not None:
        shapes = f"{list(found[misfit].shape)}, the network has {list(expected[misfit].shape)}"
        raise WeightsError(f"weights {path}: {misfit} is {shapes}; is it of this architecture?")
    network.load_state_dict(found, strict=False)
    return LoadReport(
        source=path,
        loaded=tuple(found),
        kept={name: "not in the file" for name in expected if name not in found},
        unused=tuple(name for name in tensors if name not in expected and not is_counter(name)),
        remarks=(),
    )
