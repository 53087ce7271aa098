"""Stored weights, put back into a network."""

import numpy as np
import torch


def load_weights(network: torch.nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Copy stored weights into a network; raises ValueError if they are another network's."""
    parameters = dict(network.named_parameters())
    shapes = {name: tuple(tensor.shape) for name, tensor in parameters.items()}
    if shapes != {name: values.shape for name, values in arrays.items()}:
        raise ValueError("The weights belong to another network: their names or shapes do not fit this one.")
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(torch.from_numpy(arrays[name].astype(np.float32)))
