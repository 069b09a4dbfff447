"""What would make the host wait for a device, seen on tensors of the `meta` device, which have no data."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Their results' sizes, or the results themselves, are on the host.
WAITING = {
    "aten::_local_scalar_dense",
    "aten::nonzero",
    "aten::nonzero_numpy",
    "aten::masked_select",
    "aten::is_nonzero",
    "aten::equal",
    "aten::_unique2",
    "aten::unique_consecutive",
    "aten::bincount",
    "aten::histc",
}
READING = ("item", "cpu", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__", "nonzero", "__array__")
UPLOADING = ("tensor", "as_tensor", "from_numpy")


class WaitingError(AssertionError):
    pass


class NoWaiting(TorchDispatchMode):
    """Refuses operations that wait for the device, and copies between it and the host; uploads only where asked to."""

    def __init__(self, uploads=False):
        super().__init__()
        self.uploads = uploads

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name
        if name in WAITING:
            raise WaitingError(f"{name} waits for the device")
        indices = args[1] if name in ("aten::index", "aten::index_put", "aten::index_put_") else ()
        if any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices):
            raise WaitingError(f"{name} by a mask waits for the device")
        if name in ("aten::_to_copy", "aten::copy_", "aten::_pin_memory"):
            devices = {value.device.type for value in tree_leaves(args) if isinstance(value, torch.Tensor)}
            if (kwargs or {}).get("device") is not None:
                devices.add(torch.device(kwargs["device"]).type)
            upload = self.uploads and name == "aten::_to_copy" and args[0].is_cpu and kwargs.get("non_blocking")
            if len(devices) > 1 and not upload:
                raise WaitingError(f"{name} copies between {' and '.join(sorted(devices))}")
        return func(*args, **(kwargs or {}))


def refusing(name):
    """In place of a function that reads or uploads."""

    def refuse(*args, **kwargs):
        raise WaitingError(f"{name} waits for the device")

    return refuse


def without_data(states):
    """Targets on the `meta` device."""
    names = ("templates", "centres", "sizes", "scores", "padding")
    return type(states)(*(getattr(states, name).to("meta") for name in names))
