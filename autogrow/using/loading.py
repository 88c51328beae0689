"""The network that a finished run found, ready for images as a user has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from autogrow.batches.sets import load_prepared
from autogrow.data.loading import as_images
from autogrow.errors import UserError
from autogrow.networks.growable import Growable, depth_of, stack_sub_module
from autogrow.networks.names import format_depth
from autogrow.process.device import find_device
from autogrow.runs.description import Description, describe, parse_description
from autogrow.runs.folder import (
    SPEC,
    WEIGHTS,
    read_content,
    read_network,
    read_result,
    read_spec,
    require_finished,
)
from autogrow.runs.summary import SUMMARY
from autogrow.training.epoch import EVALUATION_PIXELS
from autogrow.using.preparing import Preparation, raw_images


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a network says of images.

    Attributes
    ----------
    labels
        int64, shape (N,): the class with the largest probability.
    names
        The names of these classes.
    probabilities
        float32, shape (N, classes).

    Examples
    --------
    >>> import numpy as np
    >>> import autogrow
    >>> told = autogrow.Predictions(np.array([1]), ("dog",), np.array([[0.25, 0.75]]))
    >>> told.names, float(told.probabilities.max())
    (('dog',), 0.75)
    """

    labels: np.ndarray
    names: tuple[str, ...]
    probabilities: np.ndarray

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network with all that its use needs; :func:`load` returns it.

    Attributes
    ----------
    folder
        The run's folder.
    network
        The module, in evaluation mode; it takes normalised images.
    description
        Depth, class names, normalisation, size and channels of its images.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import autogrow
    >>> from autogrow.networks.names import parse_network
    >>> name = parse_network("Basic3ResNet-1-1-1")
    >>> network = autogrow.build_network(name, image_channels=1, classes=2, width=2)
    >>> images = {"mean": [0.5], "std": [0.5], "image_size": 8, "channels": 1}
    >>> description = autogrow.Description(found="1-1-1", class_names=["cat", "dog"], **images)
    >>> trained = autogrow.TrainedNetwork(Path("runs/mine"), network.eval(), description)
    >>> trained.predict(np.zeros((3, 8, 8), "uint8")).probabilities.shape
    (3, 2)
    """

    folder: Path
    network: nn.Module
    description: Description

    @property
    def depth(self) -> tuple[int, ...]:
        """Number of sub-modules in each sub-network."""
        return tuple(map(int, self.description.found.split("-")))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, by label."""
        return tuple(self.description.class_names)

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return next(self.network.parameters()).device

    @torch.inference_mode()
    def predict(self, images: Any) -> Predictions:
        """Return what the network says of raw images.

        Parameters
        ----------
        images
            uint8 array or tensor, values 0 to 255: (N, H, W, C), (N, H, W), or as torch has them
            (N, C, H, W) with 1 or 3 channels. Images of another size than the network was trained
            on are resized by their shorter side, and their central square is taken.

        Raises
        ------
        UserError
            If type or shape is another.
        """
        raw = raw_images(as_images(images, "images"), self.description)
        return self.predict_raw(raw)

    @torch.inference_mode()
    def predict_raw(self, raw: torch.Tensor) -> Predictions:
        """Return what the network says of images that :func:`raw_images` has fitted."""
        prepare = Preparation(self.description).to(self.device)
        probabilities = [
            self.network(prepare(batch.to(self.device))).float().softmax(1).cpu()
            for batch in raw.split(self.batch_size)
        ]
        all_of_them = torch.cat(probabilities)
        labels = all_of_them.argmax(1)
        names = tuple(self.description.class_names[label] for label in labels.tolist())
        return Predictions(labels.numpy(), names, all_of_them.numpy())

    @property
    def batch_size(self) -> int:
        """How many images are computed at once."""
        return max(32, EVALUATION_PIXELS[self.device.type] // self.description.image_size**2)


def load(
    folder: str | Path,
    *,
    network: nn.Module | None = None,
    device: str = "auto",
    data_root: str | Path | None = None,
) -> TrainedNetwork:
    """Return the trained network of a finished run, with what is needed to use it.

    Parameters
    ----------
    folder
        The run's folder.
    network
        For a network that has no name by which it can be built: a :class:`autogrow.Growable` like
        the one that was grown, at any depth up to the found one. It is grown to the found depth,
        and gets the weights.
    device
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
    data_root
        Only for runs of an older suite, whose weights do not name the classes: where their data
        set is looked for first.

    Raises
    ------
    UserError
        If the run is not finished or damaged, if the network cannot be built without ``network``
        or if that one does not fit.

    Examples
    --------
    >>> import tempfile
    >>> import autogrow
    >>> from autogrow.data import load as load_data
    >>> shape = {"network": "Plain3Net-1-1-1", "width": 2}
    >>> spec = autogrow.ScratchSpec(**shape, data="digits", data_fraction=0.1, epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     quiet = autogrow.Execution(device="cpu", quiet=True)
    ...     summary = autogrow.run(spec, folder, execution=quiet)
    ...     trained = autogrow.load(folder, device="cpu")
    >>> told = trained.predict(load_data("digits").test.images)
    >>> len(told), told.probabilities.shape, trained.class_names[:3]
    (360, (360, 10), ('0', '1', '2'))
    """
    place = Path(folder)
    file = place / WEIGHTS
    require_finished(place, SPEC, SUMMARY, WEIGHTS)
    content = read_content(file)
    description = parse_description(content, file) or _older_description(place, data_root)
    built = read_network(file) if network is None else _grown(network, description, file)
    built.to(find_device(device)).eval()
    return TrainedNetwork(place, built, description)


def _older_description(folder: Path, data_root: str | Path | None) -> Description:
    """Return the description of a run whose weights have none, from its spec and its data set."""
    spec, summary = read_spec(folder), read_result(folder)
    file = folder / WEIGHTS
    try:
        data = load_prepared(spec, Path(data_root) if data_root else None)
    except UserError as error:
        raise UserError(
            f"{file}: is of an older suite, and names no classes; its data set would: {error}"
        ) from None
    if data.checksum != summary.data.checksum:
        raise UserError(
            f"{file}: is of an older suite, and names no classes; {spec.data} is another data set "
            "now (its checksum differs); allowed: the one that the run was trained on"
        )
    return describe(spec, data, summary.depth)


def _grown(network: nn.Module, description: Description, file: Path) -> nn.Module:
    """Return somebody's own network, grown in place to the found depth, with the file's weights."""
    from safetensors.torch import load_file

    if not isinstance(network, Growable):
        raise UserError(
            f"network: found {type(network).__name__}; allowed: a network with sub_networks and "
            "new_sub_module (autogrow.Growable)"
        )
    found = tuple(map(int, description.found.split("-")))
    depth = depth_of(network)
    if len(depth) != len(found) or any(d > f for d, f in zip(depth, found, strict=True)):
        raise UserError(
            f"network: found depth {format_depth(depth)}; allowed: up to {description.found}, "
            f"the depth of {file}"
        )
    for i, (now, then) in enumerate(zip(depth, found, strict=True)):
        for _ in range(then - now):
            stack_sub_module(network, i, seed=0)
    try:
        network.load_state_dict(load_file(file))
    except RuntimeError as error:
        raise UserError(f"network: does not take the weights of {file}: {error}") from None
    return network
