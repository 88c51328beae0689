"""Settings of a run as the run uses them: nothing is left open.

Each type narrows the fields of :mod:`autogrow.config.spec` that a user may leave out, so a
resolved spec is also a spec that can be given, and describes the same run.
"""

from __future__ import annotations

from typing import Literal

from autogrow.config.policy_settings import has, make_policy
from autogrow.config.pydantic_errors import validated
from autogrow.config.shared_settings import (
    BatchSize,
    Epochs,
    LearningRate,
    Milestones,
    Padding,
    RunSpec,
    WeightDecay,
    Width,
)
from autogrow.config.spec import AutogrowSpec, GivenSpec, MorphSpec, ScratchSpec, parse_spec
from autogrow.config.training_choices import TrainingChoices
from autogrow.growth.algorithm import Depth
from autogrow.growth.policies import Policy
from autogrow.growth.schedules import short_epochs, staircase
from autogrow.networks.names import parse_depth


class ResolvedSpec(TrainingChoices, RunSpec):
    """Settings that all kinds of runs share."""

    kind: Literal["scratch", "morph", "autogrow"]
    stem: Literal["small", "imagenet"]
    width: Width
    batch_size: BatchSize
    learning_rate: LearningRate
    weight_decay: WeightDecay
    milestones: Milestones
    protocol: Literal["paper", "holdout"]
    crop_padding: Padding
    flip: bool


class ResolvedScratch(ResolvedSpec, ScratchSpec):
    """Train a network of a given depth from random weights."""

    kind: Literal["scratch"] = "scratch"
    epochs: Epochs

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch; they count from 0."""
        if self.schedule == "constant":
            return self.learning_rate
        epochs = self.period or self.epochs
        return staircase(self.learning_rate, epoch % epochs, epochs, self.milestones)


class ResolvedMorph(ResolvedSpec, MorphSpec):
    """Train a network to the end, morph it to a deeper one, train that one."""

    kind: Literal["morph"] = "morph"
    epochs: Epochs


class ResolvedAutogrow(ResolvedSpec, AutogrowSpec):
    """Grow a seed network by Algorithm 1, then fine-tune the found net."""

    kind: Literal["autogrow"] = "autogrow"
    seed_depth: str
    K: Epochs
    finetune_epochs: Epochs

    @property
    def growth_policy(self) -> Policy:
        """The policy that decides when the network grows."""
        return make_policy(self.policy, self.K, self.J, self.tau, self.policy_options)

    @property
    def largest_depth(self) -> Depth | None:
        """The depth at which sub-networks stop growing, or None."""
        if self.max_depth == "none":
            return None
        return parse_depth(self.max_depth, self.architecture, "max_depth")

    @property
    def growing_milestones(self) -> Milestones:
        """Where the staircase inside K epochs falls, in fractions of K."""
        return self.milestones if self.growing_steps == "milestones" else (0.5, 0.75)

    @property
    def finetuning_schedule(self) -> tuple[int, float, Milestones]:
        """Epochs, first learning rate and milestones of the fine-tuning."""
        if self.finetuning == "short" and self.policy == "convergent":
            return short_epochs(self.finetune_epochs), self.learning_rate * 0.1, (0.5,)
        return self.finetune_epochs, self.learning_rate, self.milestones


class WindowedAutogrow(ResolvedAutogrow):
    """Growth by a policy with a stop window J."""

    J: Epochs


class WindowlessAutogrow(ResolvedAutogrow):
    """Growth by a policy without one."""

    J: None = None


class GivenWindowed(WindowedAutogrow, GivenSpec):
    """Growth of what a caller gave, by a policy with a stop window."""

    kind: Literal["autogrow"] = "autogrow"


class GivenWindowless(WindowlessAutogrow, GivenSpec):
    """Growth of what a caller gave, by a policy without one."""

    kind: Literal["autogrow"] = "autogrow"


def resolved_type(spec: RunSpec) -> type[ResolvedSpec]:
    """Return the type of a spec with every setting filled in."""
    if isinstance(spec, AutogrowSpec):
        windowed = has(spec.policy, "J")
        if isinstance(spec, GivenSpec):
            return GivenWindowed if windowed else GivenWindowless
        return WindowedAutogrow if windowed else WindowlessAutogrow
    return ResolvedMorph if isinstance(spec, MorphSpec) else ResolvedScratch


def parse_resolved(settings: object, source: str) -> ResolvedSpec:
    """Return the resolved spec of these settings; a setting that is left open is a UserError."""
    return validated(resolved_type(parse_spec(settings, source)), settings, source)
