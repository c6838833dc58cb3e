"""What a stage of training is made of: its settings, the course of its learning rate, its penalty, when it ends."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn
import torch.nn.functional as F

# The means of a unit are kept this far from 0 and 1, where the penalty is infinite.
MARGIN = 1e-6


@dataclass
class Sparsity:
    """beta times the sum over units of KL(rho || mean of the unit), and l1 times the sizes of all activations."""

    rho: float
    beta: float
    l1: float
    at: str

    def means(self, activation):
        """The penalty on the means, a value for each unit: a feature or a channel."""
        means = activation.clamp(MARGIN, 1 - MARGIN)
        rho = self.rho
        return self.beta * (rho * (rho / means).log() + (1 - rho) * ((1 - rho) / (1 - means)).log()).sum()


@dataclass
class EarlyStop:
    """Ends a stage after `patience` epochs without improvement of a metric such as "valid loss"."""

    metric: str
    patience: float

    def judge(self, best, waited, measured, trained_on):
        """The best value (smaller is better), the epochs since, and whether this epoch is the best."""
        value = metric_of(self.metric, measured, trained_on)
        if value is None and self.patience == math.inf:
            value = measured[trained_on]["loss"]
        if value is None:
            return best, waited, False
        value = -value if self.metric.endswith("accuracy") else value
        if not math.isnan(value) and (best is None or math.isnan(best) or value < best):
            return value, 0, True
        return best, waited + 1, False


def metric_of(metric, measured, trained_on):
    """What "valid loss" or "train accuracy" is among what was measured; None where it was not."""
    split, key = metric.split()
    return measured.get("valid" if split == "valid" else trained_on, {}).get(key)


@dataclass
class Moment:
    """An update of the weights within its stage."""

    epoch: int
    update: int
    updates_per_epoch: int
    epochs: int

    @property
    def done(self):
        """Epochs that are done, with their fraction."""
        return self.epoch + self.update / max(self.updates_per_epoch, 1)


@dataclass
class Schedule:
    """A learning rate that stays, after a warm-up over so many epochs."""

    warmup: float = 0.0

    def rates(self, lr, at, factor):
        """Learning rate and momentum of an update; `factor` is what a plateau has come to."""
        if at.done < self.warmup:
            return lr * max(at.done / self.warmup, 1e-3), None
        epochs = max(at.epochs - self.warmup, 1e-9)
        epoch = at.done - self.warmup
        return self.after_warmup(lr, epoch, min(max(epoch / epochs, 0.0), 1.0), factor), None

    def after_warmup(self, lr, epoch, progress, factor):
        return lr


@dataclass
class Cosine(Schedule):
    """Falls along half a cosine to `min` at the end."""

    min: float = 0.0

    def after_warmup(self, lr, epoch, progress, factor):
        return self.min + (lr - self.min) * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass
class Step(Schedule):
    """Multiplied by gamma every so many epochs."""

    every: float = 10.0
    gamma: float = 0.1

    def after_warmup(self, lr, epoch, progress, factor):
        return lr * self.gamma ** math.floor(epoch / self.every)


@dataclass
class MultiStep(Schedule):
    """Multiplied by gamma after each of these epochs."""

    at: list[float] = field(default_factory=list)
    gamma: float = 0.1

    def after_warmup(self, lr, epoch, progress, factor):
        return lr * self.gamma ** sum(epoch >= after for after in self.at)


@dataclass
class Exponential(Schedule):
    """Multiplied by gamma every epoch."""

    gamma: float = 0.95

    def after_warmup(self, lr, epoch, progress, factor):
        return lr * self.gamma ** math.floor(epoch)


@dataclass
class Polynomial(Schedule):
    """Falls to 0 as a power of what is left of the stage."""

    power: float = 1.0

    def after_warmup(self, lr, epoch, progress, factor):
        return lr * (1 - progress) ** self.power


@dataclass
class OneCycle(Schedule):
    """Rises to the optimizer's rate and falls far below its start, the momentum opposite (Smith and Topin 2018)."""

    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    linear: bool = False
    fixed_momentum: bool = False
    base_momentum: float = 0.85
    max_momentum: float = 0.95

    def rates(self, lr, at, factor):
        total = at.epochs * at.updates_per_epoch
        step = at.epoch * at.updates_per_epoch + at.update
        top, end = self.pct_start * total - 1, total - 1
        first = lr / self.div_factor
        if step <= top:
            share = step / top if top > 0 else 1.0
            ends, momentum_ends = (first, lr), (self.max_momentum, self.base_momentum)
        else:
            share = (step - top) / (end - top) if end > top else 1.0
            ends, momentum_ends = (lr, first / self.final_div_factor), (self.base_momentum, self.max_momentum)
        momentum = None if self.fixed_momentum else self.between(*momentum_ends, share)
        return self.between(*ends, share), momentum

    def between(self, start, end, share):
        if self.linear:
            return (end - start) * share + start
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


@dataclass
class Plateau(Schedule):
    """Multiplied by `factor` when a metric has not improved for longer than `patience` epochs."""

    metric: str = "valid loss"
    factor: float = 0.1
    patience: float = 10.0
    threshold: float = 1e-4
    cooldown: float = 0.0
    min: float = 0.0

    def after_warmup(self, lr, epoch, progress, factor):
        return lr * factor

    def judge(self, watch, value, lr):
        """What is remembered after an epoch whose metric was `value`; a dictionary like `watch`."""
        best, waited, cooling, factor = watch["best"], watch["waited"], watch["cooling"], watch["factor"]
        if self.is_better(value, best):
            best, waited = value, 0
        else:
            waited += 1
        if cooling > 0:
            cooling, waited = cooling - 1, 0
        if waited > self.patience:
            lowered = max(lr * factor * self.factor, self.min)
            if lr * factor - lowered > 1e-8:
                factor = lowered / lr
            cooling, waited = int(self.cooldown), 0
        return {"best": best, "waited": waited, "cooling": cooling, "factor": factor}

    def is_better(self, value, best):
        if best is None:
            return not math.isnan(value)
        if self.metric.endswith("accuracy"):
            return value > best * (1 + self.threshold)
        return value < best * (1 - self.threshold)


@dataclass
class Stage:
    """One phase of the training."""

    name: str
    task: str  # "reconstruct": the target is the image; "classify": it is the label
    split: str
    loss: nn.Module
    optimizer: Callable  # takes parameter groups
    lr: float
    epochs: int
    batch: int
    ending: str | None = None  # what a head gives that are no scores of classes: "softmax", "score" or "sigmoid" of one
    schedule: Schedule = field(default_factory=Schedule)
    freeze: list[str] = field(default_factory=list)
    # Layers that are frozen at first, each with the epoch, from 0, from which on it is trained: the top ones first.
    unfreeze: list[tuple[int, list[str]]] = field(default_factory=list)
    accumulate: int = 1
    clip_norm: float | None = None
    clip_value: float | None = None
    rate_factors: list[tuple[str, float]] = field(default_factory=list)
    decays_weights_alone: bool = False
    sparsity: Sparsity | None = None
    early_stop: EarlyStop | None = None
    keep_best: bool = False
    keep_every: int | None = None

    @property
    def stacks(self):
        """The two parts of the network that it runs through."""
        return ("encoder", "decoder" if self.task == "reconstruct" else "head")

    def trains(self, name):
        """Whether it changes the parameter of this name."""
        return name.split(".")[0] in self.stacks and not any(is_in(name, place) for place in self.freeze)

    def frozen(self, epoch):
        """The layers that stay as they are in an epoch, counted from 0."""
        waiting = [place for first, places in self.unfreeze if epoch < first for place in places]
        return [*self.freeze, *waiting]

    def trains_in(self, epoch, name):
        """Whether it changes the parameter of this name in an epoch."""
        return self.trains(name) and not any(is_in(name, place) for place in self.frozen(epoch))

    def first_epoch(self, name):
        """The epoch from which on the parameter of this name is trained."""
        firsts = (first for first, places in self.unfreeze if any(is_in(name, place) for place in places))
        return next(firsts, 0)

    def watch(self):
        """What its epochs are judged by; where only the best is kept, the loss, which then ends nothing."""
        if self.early_stop is None and self.keep_best:
            return EarlyStop("valid loss", math.inf)
        return self.early_stop


def is_in(name, place):
    """Whether a parameter or layer is the one at `place`, or inside it."""
    return name == place or name.startswith(place + ".")


def parameter_groups(network, stage, earlier, updates_per_epoch):
    """The parameters that a stage trains, each in a group of its own with its factor on the learning rate, and the updates
    after which it is unfrozen."""
    groups = []
    for name, parameter in network.named_parameters():
        if not stage.trains(name):
            continue
        factor = 1.0
        for place, value in stage.rate_factors:
            is_pretrained = place == "pretrained" and any(before.trains(name) for before in earlier)
            factor = value if is_pretrained or is_in(name, place) else factor
        layer = network.get_submodule(name.rpartition(".")[0])
        is_weight = parameter.ndim > 1 and not isinstance(layer, nn.LayerNorm)
        begins_after = stage.first_epoch(name) * updates_per_epoch
        group = {"params": [parameter], "name": name, "factor": factor, "begins_after": begins_after}
        if stage.decays_weights_alone and not is_weight:
            group["weight_decay"] = 0.0
        groups.append(group)
    return groups


class Route(nn.Module):
    """The two stacks that a stage runs through. Gives the answer and the activation that the penalty is on."""

    def __init__(self, network, stage):
        super().__init__()
        first, second = stage.stacks
        self.stacks = nn.ModuleDict({first: getattr(network, first), second: getattr(network, second)})
        self.activation = None
        self.ending = stage.ending
        if stage.sparsity is not None:
            network.get_submodule(stage.sparsity.at).register_forward_hook(self.keep)

    def keep(self, layer, inputs, output):
        self.activation = output

    def forward(self, images):
        answer = images
        for stack in self.stacks.values():
            answer = stack(answer)
        return answer if self.ending is None else logits_of(answer, self.ending), self.activation


def logits_of(answer, ending):
    """The scores of the classes, where a head ends in something else."""
    if ending == "softmax":
        return answer.clamp_min(torch.finfo(answer.dtype).tiny).log()
    # Two classes told apart by one score: 0 and that score, whose cross-entropy is BCEWithLogitsLoss.
    score = answer.reshape(len(answer), 1)
    score = torch.logit(score, eps=1e-7) if ending == "sigmoid" else score
    return torch.cat([torch.zeros_like(score), score], 1)


class StructuralDissimilarity(nn.Module):
    """One minus the structural similarity (Wang et al. 2004), in windows of 11 pixels with a deviation of 1.5."""

    def __init__(self, data_range):
        super().__init__()
        self.stable = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
        window = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
        self.register_buffer("window", window / window.sum())

    def blur(self, images):
        channels = images.shape[1]
        down = self.window.view(1, 1, 11, 1).repeat(channels, 1, 1, 1)
        return F.conv2d(F.conv2d(images, down, groups=channels), down.transpose(2, 3), groups=channels)

    def forward(self, one, other):
        first, second = self.stable
        mean, other_mean = self.blur(one), self.blur(other)
        variances = self.blur(one * one) - mean**2 + self.blur(other * other) - other_mean**2
        covariance = self.blur(one * other) - mean * other_mean
        light = (2 * mean * other_mean + first) / (mean**2 + other_mean**2 + first)
        return 1 - (light * (2 * covariance + second) / (variances + second)).mean()
