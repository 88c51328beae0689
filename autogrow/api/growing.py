"""``autogrow.grow``: find the depth of a network by growing it on a caller's images."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from autogrow.api.found import Found, read_epochs, read_events
from autogrow.api.own_networks import (
    architecture_of,
    built_as,
    residual,
    structure,
    text_of,
    try_optimizer,
)
from autogrow.api.sources import caller_data
from autogrow.api.threads import usual_threads
from autogrow.config.execution import Execution
from autogrow.config.policy_settings import policy_settings
from autogrow.config.pydantic_errors import validated
from autogrow.config.resolving import resolve
from autogrow.config.spec import AutogrowSpec, GivenSpec
from autogrow.data import DatasetInfo, ImageData, info
from autogrow.errors import UserError, shown
from autogrow.growth.policies import Policy
from autogrow.growth.registry import POLICIES
from autogrow.networks.contract import check_growth, check_network
from autogrow.networks.growable import (
    GrowableNetwork,
    depth_of,
)
from autogrow.networks.names import format_depth, parse_architecture, parse_network
from autogrow.runs.run import carry_out
from autogrow.training.building import Given
from autogrow.training.callbacks import Callback, Listeners, never
from autogrow.training.metrics import Epoch
from autogrow.training.twin import cut_back
from autogrow.using.loading import load

HALF = (0.5, 0.75)
"""Milestones of the paper's small data sets, by which T is half of the fine-tuning."""


def grow(
    network: nn.Module | str,
    train: Any,
    validation: Any = None,
    *,
    test: Any = None,
    T: int | None = None,
    policy: Policy | str = "periodic",
    initializer: str = "GauInit",
    optimizer: Callable[..., Any] | None = None,
    epochs: int | None = None,
    milestones: Sequence[float] | None = None,
    augmentation: Callable[[Tensor], Tensor] | None = None,
    classes: Sequence[str] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    out: str | Path | None = None,
    precision: Literal["fp32", "tf32", "bf16"] = "fp32",
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    stop: Callable[[Epoch], bool] = never,
    execution: Execution | None = None,
    **settings: Any,
) -> Found:
    """Grow a network by Algorithm 1 until depth no longer helps, fine-tune it, and return it.

    Every default is the paper's. Validation images steer growing and are reported; test images,
    if there are any, are evaluated after each epoch and never steer.

    Parameters
    ----------
    network
        A module that keeps the contract of :class:`autogrow.Growable`, at the depth to start
        from: it is grown and trained in place. Or a network's name, as ``Basic3ResNet`` or, with
        the depth to start from, ``Basic3ResNet-2-1-1``.
    train
        Images and labels as a pair of arrays or tensors (see :func:`autogrow.image_data`), a torch
        Dataset or DataLoader of such pairs, an :class:`autogrow.ImageData`, or the name of a
        data set. A Dataset's uint8 images are scaled to [0, 1], its floats are taken as they are.
    validation, test
        As ``train``. Without validation images a share of the training images
        (``holdout_fraction``, a tenth) is set aside.
    T
        Epochs at the largest learning rate. J is T, and fine-tuning takes 2 T epochs, with a
        tenth of the rate after T epochs and a hundredth after 1.5 T. None: the paper's 100.
    policy
        When to grow and when to stop; as a name with the paper's K, J and tau.
    initializer
        What a new sub-module's last normalisation begins with.
    optimizer
        Returns an optimizer of torch for the parameters that it is given. New parameters join
        its groups, see :func:`autogrow.grow_sub_module`; all groups follow the schedule from
        their own learning rates. None: the paper's SGD.
    epochs, milestones
        Of the fine-tuning, where they do not follow from T.
    augmentation
        Changes each training batch of uint8 images (B, C, H, W) after crops and flips, whose
        settings are ``crop_padding`` and ``flip``. Torch's random numbers are seeded for it.
    classes
        Names of the classes, by label.
    mean, std
        By what a Dataset has normalised its images, one number a channel, if its values are not
        from 0 to 1: the saved network does so with raw images. Arrays are normalised by their own.
    out
        The run's folder. The same call continues an interrupted run, and leaves a finished one as
        it is. None: nothing is kept but what is returned.
    precision
        Of multiplications.
    seed
        Seed of everything random but the weights that the network comes with.
    callbacks
        Are called at epochs, growths and stops.
    stop
        Asked after each epoch: True ends growing, or then the fine-tuning.
    execution
        Device, threads and the like. Its fields are also taken as ``settings``: ``device="cpu"``.
    settings
        Any other setting of :class:`autogrow.AutogrowSpec` or :class:`autogrow.Execution`.

    Raises
    ------
    UserError
        If something that was given cannot be used: what was found, and what is allowed.
    InterruptedRunError
        If the run was asked to stop, by a signal: the same call continues it.

    Notes
    -----
    Where ``threads`` is not given, small steps are computed by one thread. The number of threads
    is one of the things that fix the bits of a run on a CPU.

    Examples
    --------
    >>> import autogrow
    >>> found = autogrow.grow(
    ...     "Basic3ResNet", "digits", T=2, data_fraction=0.1, width=4, quiet=True,
    ...     policy=autogrow.PeriodicGrowth(K=1, tau=100),
    ... )
    >>> found.summary.kind, found.summary.epochs["finetuning"]
    ('autogrow', 4)
    """
    module: Any = None if isinstance(network, str) else network
    given = Given(module, optimizer, augmentation)
    how, chosen = _divided(settings)
    chosen |= {"initializer": initializer, "precision": precision, "seed": seed}
    chosen |= {**_of_network(network), **_of_schedule(policy, T, epochs, milestones)}
    chosen |= _of_objects(given, stop, chosen)
    model = GivenSpec if "given" in chosen else AutogrowSpec
    data: ImageData | None = None
    facts: ImageData | DatasetInfo
    if isinstance(train, str):
        if not (validation is test is classes is mean is std is None):
            raise UserError(
                f"train: found {shown(train)}, which has sets and classes of its own; allowed: no "
                "validation, test, classes, mean and std beside it"
            )
        facts = info(train)
        chosen["data"] = train
    else:
        fraction = validated(model, {**chosen, "data": "arrays"}, "grow").holdout_fraction
        sets = {"train": train, "validation": validation, "test": test}
        facts = data = caller_data(sets, classes, (mean, std), fraction=fraction, seed=seed)
        chosen["data"] = data.name
        if isinstance(train, DataLoader) and train.batch_size is not None:
            chosen.setdefault("batch_size", train.batch_size)
    spec = validated(model, chosen, "grow")
    if given.network is not None:
        size = spec.image_size(facts.image_size)
        check_growth(given.network, facts.channels, size, facts.n_classes)
    execution = _execution(execution or Execution(), how, keeps=out is not None)
    if execution.threads is None:
        threads = usual_threads(given.network, resolve(spec, facts), facts)
        execution = execution.model_copy(update={"threads": threads})
    return _carry_out(spec, data, given, Listeners(tuple(callbacks), stop), execution, out)


def _divided(settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that say how a run is carried out, and those of its spec."""
    names = {name for n, field in Execution.model_fields.items() for name in (n, field.alias)}
    how = {k: v for k, v in settings.items() if k in names}
    return how, {k: v for k, v in settings.items() if k not in names}


def _execution(execution: Execution, how: dict[str, Any], *, keeps: bool) -> Execution:
    """Return how a run is carried out; one whose folder nobody keeps needs no checkpoints."""
    given = execution.model_dump(exclude_unset=True)
    rarely = {} if keeps else {"checkpoint_epochs": 100_000, "checkpoint_minutes": 1e6}
    how = {k: str(v) if k == "device" else v for k, v in how.items()}  # also a torch.device
    return validated(Execution, {**given, **rarely, **how}, "grow")


def _of_network(network: nn.Module | str) -> dict[str, Any]:
    """Return the settings that say which network is grown."""
    if not isinstance(network, str):
        check_network(network)
        module: Any = network
        settings = built_as(module) if type(module) is GrowableNetwork else {}
        return {
            "network": architecture_of(module).name,
            "seed_depth": format_depth(depth_of(module)),
            **settings,
        }
    if "-" not in network:
        return {"network": parse_architecture(network).name}
    name = parse_network(network)
    return {"network": name.architecture.name, "seed_depth": format_depth(name.depth)}


def _of_schedule(
    policy: Policy | str, T: int | None, epochs: int | None, milestones: Sequence[float] | None
) -> dict[str, Any]:
    """Return the settings of policy and fine-tuning; those that are not given follow from T."""
    if T is not None and (not isinstance(T, int) or T < 1):
        raise UserError(f"T: found {shown(T)}; allowed: a whole number of epochs from 1")
    if T is not None:
        milestones = HALF if milestones is None else milestones
        epochs = round(T / milestones[0]) if epochs is None else epochs
    schedule = {"finetune_epochs": epochs, "milestones": milestones}
    if isinstance(policy, Policy):
        settings = policy_settings(policy)
        if settings.get("J", T) is None:
            settings["J"] = T
        return {**schedule, **settings}
    if not isinstance(policy, str):
        raise UserError(f"policy: found {shown(policy)}; allowed: an autogrow.Policy, or a name")
    if T is None:
        return {**schedule, "policy": policy}
    defaults = POLICIES.find(policy).defaults
    by_T = {key: value for key, value in defaults(T).items() if value != defaults(T + 1)[key]}
    return {**schedule, "policy": policy, **by_T}


def _of_objects(
    given: Given, stop: Callable[[Epoch], bool], chosen: dict[str, Any]
) -> dict[str, Any]:
    """Return what a spec says of the objects that were given: their texts, and the rate."""
    texts, values = {}, dict[str, Any]()
    if given.network is not None:
        texts["network"] = structure(given.network)
        if chosen.get("learning_rate") is None:
            values["learning_rate"] = 0.1 if residual(given.network) else 0.01  # the paper's
    if given.optimizer is not None:
        if chosen.get("learning_rate") is not None:
            raise UserError(
                f"learning_rate: found {shown(chosen['learning_rate'])} beside an optimizer; "
                "allowed: None, for the optimizer has its own"
            )
        texts["optimizer"], values["learning_rate"] = try_optimizer(given.optimizer, given.network)
    if given.augmentation is not None:
        texts["augmentation"] = text_of(given.augmentation)
    if stop is not never:
        texts["stop"] = text_of(stop)
    return {**values, "given": texts} if texts else {}


def _carry_out(
    spec: AutogrowSpec,
    data: ImageData | None,
    given: Given,
    listeners: Listeners,
    execution: Execution,
    out: str | Path | None,
) -> Found:
    if out is None and os.environ.get("WORLD_SIZE", "1") != "1":
        raise UserError("out: found None with several processes; allowed: a folder for all of them")
    temporary = TemporaryDirectory(prefix="autogrow-") if out is None else None
    folder = Path(temporary.name if temporary else str(out))
    threads = torch.get_num_threads()
    seed_depth = None if given.network is None else depth_of(given.network)
    try:
        summary = carry_out(spec, folder, execution, data, given, listeners)
    except BaseException:
        if given.network is not None and seed_depth is not None:
            cut_back(given.network, seed_depth)  # the same call can be made with it again
        raise
    finally:
        torch.set_num_threads(threads)
    trained: Any = load(folder, network=given.network, device=execution.device).network
    return Found(trained, summary, read_epochs(folder), read_events(folder), folder, temporary)
