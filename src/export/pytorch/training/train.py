"""Trains the network of model.py as the project says (settings.py), and leaves a run that Strata opens.

    python train.py RUN                              one process, on the GPU where there is one
    torchrun --nproc-per-node 2 train.py RUN         two processes on this machine
    python train.py RUN --resume                     goes on from the last checkpoint, also after a kill

Needs torch, torchvision, numpy and safetensors. While it trains, lines in RUN/commands.txt are obeyed: pause, resume,
stop, steps 100, lr=0.01 (`strata control RUN` writes them). The batch of a step is shared out among the processes, so
that any number of them trains alike; batch norm sees its own process's share of it, on GPUs all of it.
"""

import argparse
import contextlib
import math
import signal
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import labels as label_rows
from images import mixed, splits
from model import Network
from run_folder import Position, RunFolder, changes_of, empty_tally, load_checkpoint, load_memory
from settings import DATA_HASH, ENDS, FIRST_WEIGHTS, MIXUP, NORMALIZED, PROBE, SEED, STAGES, VERSION
from stages import Moment, Plateau, Route, metric_of, parameter_groups
from team import Team

HERE = Path(__file__).resolve().parent


class Stop(Exception):
    """The training was asked to end."""


class Trainer:
    def __init__(self, args):
        self.team = Team(args.device)
        self.args = args
        self.folder = RunFolder(args.run, args.resume) if self.team.leads else None
        self.splits = splits(args.images)
        torch.manual_seed(SEED)
        self.network = Network().to(self.team.device)
        self.position, self.memory = Position(), {}
        if args.weights or FIRST_WEIGHTS:
            first = load_file(args.weights or HERE / FIRST_WEIGHTS)
            self.network.load_state_dict(first, strict=True)
        self.wait_for_leader()
        if args.resume:
            last = Path(args.run) / "checkpoints" / "last.safetensors"
            self.position, self.memory = load_checkpoint(last, self.network)
        self.is_paused, self.steps_left, self.is_stopping = False, None, False
        # What was asked of the first process, and whether the others know that something was.
        self.asked, self.is_asked = [], False
        self.seconds, self.images_seen, self.began = 0.0, 0, time.monotonic()
        if self.team.leads:
            self.begin_folder()
            signal.signal(signal.SIGINT, self.ask_to_stop)
            signal.signal(signal.SIGTERM, self.ask_to_stop)
        else:
            # The first process decides for all.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.changes = changes_of(args.run) if args.resume else []

    def wait_for_leader(self):
        self.team.sum(0.0)

    def ask_to_stop(self, *_):
        self.is_stopping = True

    def begin_folder(self):
        device = f"{self.team.device.type}, {self.team.size} process{'es' * (self.team.size > 1)} of PyTorch"
        part = {"step": self.position.step, "epochs_done": self.position.epochs_done, "device": device,
                "version": VERSION}
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {"status": "running", "version": VERSION, "device": device, "started": now, "seed": SEED,
                  "steps": self.position.step, "data_hash": DATA_HASH, "parts": [part]}
        has_rows = any(split.has_rows for split in self.splits.values())
        self.folder.begin(HERE / "project.toml", Path(self.args.images) / "whitening.safetensors", record,
                          self.position.step, has_rows)
        self.seconds = self.folder.record["seconds"]
        if not self.args.resume:
            # Killed in its first epoch, it goes on from here.
            self.folder.save(["last"], self.position, self.network, None)
        self.folder.write_record()

    def run(self):
        status, message = "completed", None
        try:
            for index, stage in enumerate(STAGES):
                if index >= self.position.stage:
                    StageTrainer(self, index, stage).train()
        except Stop:
            status = "stopped"
        except FloatingPointError as error:
            status, message = "failed", str(error)
        if self.team.leads:
            facts = {"status": status, "steps": self.position.step, "seconds": self.elapsed()}
            self.folder.write_record(**facts, **({"message": message} if message else {}))
            self.folder.close()
        if self.team.size > 1:
            self.team.part()
        if message:
            raise SystemExit(message)

    def elapsed(self):
        return self.seconds + time.monotonic() - self.began

    def tell(self, text):
        if self.team.leads:
            print(text, flush=True)


class StageTrainer:
    """Trains one stage from the position on."""

    def __init__(self, trainer, index, stage):
        self.trainer, self.team, self.stage, self.index = trainer, trainer.team, stage, index
        if trainer.position.stage != index:
            trainer.position = trainer.position.enter(index)
        self.data = trainer.splits[stage.split]
        # Answers of an image: as many as labels where it may have several.
        self.answers = self.data.labels.shape[1] if self.data.has_rows else 1
        self.device = self.team.device
        self.network = trainer.network
        self.loss = stage.loss.to(self.device)
        self.weights = getattr(self.loss, "weight", None)
        self.weighs = self.weights is not None or getattr(self.loss, "pos_weight", None) is not None
        self.lr = stage.lr
        self.steps_per_epoch = math.ceil(len(self.data) / stage.batch)
        updates_per_epoch = math.ceil(self.steps_per_epoch / stage.accumulate)
        groups = parameter_groups(self.network, stage, STAGES[:index], updates_per_epoch)
        self.optimizer = stage.optimizer(groups) if groups else None
        if self.optimizer is not None and trainer.memory:
            load_memory(self.optimizer, trainer.memory)
        trainer.memory = {}
        self.route = Route(self.network, stage)
        self.model = None
        self.freeze(trainer.position.epoch)
        for change in trainer.changes:
            if change[0] <= trainer.position.step and change[1] == stage.name:
                self.set(*change[2:])

    def freeze(self, epoch):
        """Leaves the layers as they are that the stage does not train in this epoch."""
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(self.stage.trains_in(epoch, name))
        # The processes tell each other the gradients of what is trained alone: what did so before is dropped first.
        self.model = None
        self.model = self.team.distributed(self.route)

    def thaw(self):
        """Before an epoch: trains the layers that the stage unfreezes with it, and says which."""
        position = self.trainer.position
        thawed = [place for first, places in self.stage.unfreeze if first == position.epoch for place in places]
        if thawed and position.step_in_epoch == 0:
            self.freeze(position.epoch)
            names = ", ".join(sorted(thawed))
            self.trainer.tell(f"{self.stage.name}: from epoch {position.epoch + 1} on {names} is trained too")

    def train(self):
        watch, position = self.stage.watch(), self.trainer.position
        epochs = self.trainer.args.epochs or self.stage.epochs
        self.epochs = epochs
        while position.epoch < epochs:
            if watch and position.watch["waited"] > 0 and position.watch["waited"] >= watch.patience:
                break
            self.train_epoch()
            self.end_epoch()
        # What talks to the other processes has gone before they part.
        self.model = None

    def train_epoch(self):
        trainer, position = self.trainer, self.trainer.position
        self.thaw()
        order = self.data.order(position.epochs_done)
        batches = [order[at : at + self.stage.batch] for at in range(0, len(order), self.stage.batch)]
        left = batches[position.step_in_epoch :]
        own = [self.team.share(batch) for batch in left]
        loaded = iter(self.data.batches(own, position.epochs_done, trainer.args.workers))
        for batch in left:
            # The position is that of before the step: what stops here is gone on with here.
            self.obey()
            images, labels = (tensor.to(self.device, non_blocking=True) for tensor in next(loaded))
            self.step(images, labels, batch, batches)

    def step(self, images, labels, batch, batches):
        position, stage = self.trainer.position, self.stage
        self.model.train()
        for place in stage.frozen(position.epoch):
            # A frozen layer's running statistics stay as they are.
            self.network.get_submodule(place).eval()
        # Of dropout and noise: other numbers in every step and process, the same ones when it is resumed.
        torch.manual_seed(mixed(SEED, position.step, self.team.rank))
        first = position.step_in_epoch // stage.accumulate * stage.accumulate
        together = batches[first : first + stage.accumulate]
        ends_update = position.step_in_epoch + 1 == first + len(together)
        lr, momentum = self.rates()
        synchronises = contextlib.nullcontext()
        if not ends_update and isinstance(self.model, DistributedDataParallel):
            synchronises = self.model.no_sync()
        with synchronises:
            counts = float(self.team.counts(batch))
            images, blend = self.blended(images, labels)
            answer, activation = self.model(images)
            loss, weight = self.compared(answer, images, labels, blend)
            correct, error = self.rated(answer.detach(), images, labels)
            # All that the processes tell each other in one go: that takes longer than adding it up.
            own = [weight, loss.item() * weight, correct, error]
            *facts, asked = self.team.sum(*(fact * counts for fact in own), self.look())
            total_weight, loss_sum, correct, error = facts
            self.trainer.is_asked = asked > 0
            penalty_part, penalty = self.penalty(activation, len(batch), counts)
            whole = loss_sum / total_weight + penalty
            if not math.isfinite(whole):
                raise FloatingPointError(f"the loss of step {position.step + 1} is {whole}; take a smaller lr")
            # The processes' gradients are averaged: their sum is the gradient of the batch.
            share = len(batch) / sum(len(other) for other in together)
            part = (loss * (counts * weight / total_weight) + penalty_part) * self.team.size * share
            # Before the first layer is unfrozen nothing may be trained.
            if self.optimizer is not None and part.requires_grad:
                part.backward()
        if ends_update and self.optimizer is not None:
            self.update(lr, momentum)
        self.count(len(batch), facts, penalty, lr)

    def blended(self, images, labels):
        """Mixup (Zhang et al. 2018): every image blended with another of the batch, the labels alike."""
        if MIXUP is None or self.stage.task != "classify" or self.data.name != "train":
            return images, None
        share = float(np.random.default_rng(mixed(SEED, self.trainer.position.step)).beta(MIXUP, MIXUP))
        others = torch.randperm(len(images), device=images.device)
        return images * share + images[others] * (1 - share), (labels[others], share)

    def compared(self, answer, images, labels, blend):
        """The mean loss of this process's images, and what it is the mean over."""
        if self.stage.task == "reconstruct":
            return self.loss(answer, images), float(len(images))
        weight = float(len(labels)) if self.weights is None else self.weights[labels].sum().item()
        loss = self.loss(answer, labels)
        if blend is not None:
            others, share = blend
            loss = loss * share + self.loss(answer, others) * (1 - share)
        return loss, weight

    def penalty(self, activation, count, counts):
        """The penalty's part for this process's gradient, and its value over the whole batch."""
        sparsity = self.stage.sparsity
        if sparsity is None:
            return 0.0, 0.0
        units = activation.shape[1]
        sums = activation.movedim(1, -1).reshape(-1, units).sum(0) * counts
        values = count * activation[0].numel() / units
        # The sums of all processes, with a slope for what is this one's.
        means = (self.team.sum_tensor(sums.detach()) - sums.detach() + sums) / values
        value = sparsity.means(means) if sparsity.beta > 0 else torch.zeros((), device=self.device)
        sizes = sparsity.l1 / count * activation.abs().sum() * counts
        return value + sizes, value.item() + self.team.sum(sizes.item())[0]

    def rates(self):
        position, together = self.trainer.position, self.stage.accumulate
        updates = math.ceil(self.steps_per_epoch / together)
        at = Moment(position.epoch, position.step_in_epoch // together, updates, self.epochs)
        return self.stage.schedule.rates(self.lr, at, position.plateau["factor"])

    def update(self, lr, momentum):
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        if self.stage.clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, self.stage.clip_norm)
        if self.stage.clip_value is not None:
            nn.utils.clip_grad_value_(parameters, self.stage.clip_value)
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["factor"]
            if momentum is not None and "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            elif momentum is not None and group.get("momentum"):
                group["momentum"] = momentum
        self.optimizer.step()
        self.optimizer.zero_grad()

    def look(self):
        """Whether something was asked of the first process, as a number."""
        trainer = self.trainer
        if self.team.leads:
            trainer.asked += trainer.folder.asked() + ["stop"] * trainer.is_stopping
        return float(bool(trainer.asked))

    def rated(self, answer, images, labels):
        """Images, or labels, that are classified right, and the sum of the squared errors in pixels."""
        if self.data.has_rows and self.stage.task == "classify":
            return float(label_rows.right(answer, labels).sum().item()), 0.0
        if self.stage.task == "classify":
            return float((answer.argmax(1) == labels).sum().item()), 0.0
        return 0.0, self.pixel_error(answer, images) * len(images)

    def count(self, images, facts, penalty, lr):
        """Adds a step of so many images up, and writes its row."""
        weight, loss_sum, correct, error = facts
        trainer, position, stage = self.trainer, self.trainer.position, self.stage
        classifies = stage.task == "classify"
        position.step += 1
        position.step_in_epoch += 1
        tally = position.tally
        tally["images"] += images
        tally["loss"] += loss_sum
        tally["weight"] += weight if self.weighs else 0.0
        tally["correct"] += int(correct)
        tally["pixel_error"] += error
        trainer.images_seen += images
        if self.team.leads:
            trainer.folder.add_step({
                "step": position.step, "stage": stage.name, "epoch": position.epoch + 1, "loss": loss_sum / weight,
                "lr": lr, "penalty": None if stage.sparsity is None else penalty,
                "accuracy": correct / (images * self.answers) if classifies else None,
            })
            if time.monotonic() - getattr(trainer, "flushed", 0.0) > 0.5:
                trainer.folder.flush()
                trainer.flushed = time.monotonic()

    def pixel_error(self, answer, images):
        """The mean squared error in the units of pixels."""
        return self.data.transform.pixel_errors(answer - images).square().mean().item()

    def end_epoch(self):
        """Measures, writes and keeps what the epoch reached."""
        trainer, position, stage = self.trainer, self.trainer.position, self.stage
        measured = {stage.split: self.trained()}
        self.measure("valid", measured)
        watch = stage.watch()
        best, waited, is_best = None, 0, False
        if watch is not None:
            best, waited, is_best = watch.judge(*position.watch.values(), measured, stage.split)
        is_over = watch is not None and not is_best and waited >= watch.patience
        is_last = position.epoch + 1 >= self.epochs or is_over
        if is_last:
            self.measure("test", measured)
        position.step_in_epoch -= 1
        lr, _ = self.rates()
        plateau = stage.schedule
        if isinstance(plateau, Plateau) and position.epoch >= plateau.warmup:
            value = metric_of(plateau.metric, measured, stage.split)
            if value is not None:
                position.plateau = plateau.judge(position.plateau, value, self.lr)
        position.epoch, position.step_in_epoch = position.epoch + 1, 0
        position.epochs_done, position.tally = position.epochs_done + 1, empty_tally()
        if watch is not None:
            position.watch = {"best": best, "waited": waited}
        if self.team.leads:
            self.write(measured, lr, is_best, is_last)
        told = ", ".join(f"{split} {key} {value:.4f}" for split, facts in measured.items()
                         for key, value in facts.items() if key in ("loss", "accuracy"))
        trainer.tell(f"{stage.name}, epoch {position.epoch} of {self.epochs}: {told}")

    def write(self, measured, lr, is_best, is_last):
        trainer, position, stage = self.trainer, self.trainer.position, self.stage
        seconds = round(trainer.elapsed(), 3)
        at = {"stage": stage.name, "epoch": position.epoch, "step": position.step, "seconds": seconds}
        trainer.folder.add_metrics([
            at | {"split": split, "lr": lr if split == stage.split else None}
            | {key: facts.get(key) for key in ("loss", "accuracy", "f1", "exact_match", "log_loss")}
            for split, facts in measured.items()
        ])
        trainer.folder.record["metrics"] |= measured
        speed = trainer.images_seen / max(time.monotonic() - trainer.began, 1e-9)
        trainer.folder.write_record(status="running", steps=position.step, seconds=trainer.elapsed(),
                                    images_per_second=speed)
        trainer.folder.save_probe(self.index, position.epoch, self.probe())
        name = f"stage-{self.index + 1}"
        every = stage.keep_every and position.epoch % stage.keep_every == 0
        names = [f"{name}-epoch-{position.epoch}"] * bool(every) + [name] * is_last + ["best"] * is_best
        # What a resumed training goes on from comes last: killed before it, the epoch is trained once more.
        trainer.folder.save([*names, "last"], position, self.network, self.optimizer)

    def trained(self):
        """The means over the epoch's batches, each as it was trained on."""
        tally, stage = self.trainer.position.tally, self.stage
        images = max(tally["images"], 1)
        loss = tally["loss"] / (tally["weight"] if self.weighs else images)
        if stage.task == "reconstruct":
            return {"loss": loss} | self.in_pixels(tally["pixel_error"] / images)
        facts = {"loss": loss, "accuracy": tally["correct"] / (images * self.answers)}
        is_plain = not self.weighs and not self.data.has_rows and getattr(self.loss, "label_smoothing", 0.0) == 0.0
        return facts | ({"log_loss": loss} if is_plain else {})

    def in_pixels(self, mse):
        """The mean squared error and the peak signal-to-noise ratio, of a stage that minimises the former."""
        if not isinstance(self.loss, nn.MSELoss):
            return {}
        peak = 1.0 if NORMALIZED else abs(ENDS[0][1] - ENDS[0][0])
        return {"mse": mse, "psnr": 10 * math.log10(peak**2 / mse) if mse > 0 else math.inf}

    @torch.no_grad()
    def measure(self, name, measured):
        """What the network reaches on a split, with the stage's loss."""
        data, classifies = self.trainer.splits.get(name), self.stage.task == "classify"
        if data is None or name == self.stage.split or (classifies and not data.labelled):
            return
        self.route.eval()
        has_rows = classifies and data.has_rows
        sums = np.zeros(4 + 3 * self.answers if has_rows else 5)
        for at in range(0, len(data), self.stage.batch):
            places = np.arange(at, min(at + self.stage.batch, len(data)))[self.team.rank :: self.team.size]
            if len(places):
                sums += self.measured(data, places)
        images, weight, loss, correct, *other = self.team.sum(*sums)
        facts = {"loss": loss / weight}
        if has_rows:
            measured[name] = facts | label_rows.figures([correct, *other], images)
            return
        other = other[0]
        if classifies:
            measured[name] = facts | {"accuracy": correct / images, "log_loss": other / images}
        else:
            measured[name] = facts | self.in_pixels(other / images)

    def measured(self, data, places):
        images = data.inputs(places).to(self.device)
        labels = data.targets(places).to(self.device)
        answer, _ = self.route(images)
        loss, weight = self.compared(answer, images, labels, None)
        if self.stage.task == "classify" and data.has_rows:
            return [len(places), weight, loss.item() * weight, *label_rows.counts(answer, labels)]
        if self.stage.task == "reconstruct":
            return [len(places), weight, loss.item() * weight, *self.rated(answer, images, labels)]
        correct, _ = self.rated(answer, images, labels)
        mean = F.cross_entropy(answer, labels).item()
        return [len(places), weight, loss.item() * weight, correct, mean * len(places)]

    @torch.no_grad()
    def probe(self):
        """The first layer's filters, and what becomes of the probe images, as Strata keeps them."""
        tensors = {}
        weights = [value for value in self.network.encoder.parameters() if value.ndim == 4]
        if weights:
            tensors["filters"] = weights[0].permute(0, 2, 3, 1).cpu().contiguous()
        split, places = PROBE
        if split not in self.trainer.splits or not hasattr(self.network, "decoder"):
            return tensors
        data = self.trainer.splits[split]
        self.network.eval()
        images = data.inputs(places).to(self.device)
        made = self.network.decoder(self.network.encoder(images))
        if made.shape != images.shape:
            return tensors
        errors = data.transform.pixel_errors(made - images).square().flatten(1).mean(1)
        to_pixels = data.transform.to_pixels
        return tensors | {"inputs": to_pixels(images.cpu()), "outputs": to_pixels(made.cpu()), "mse": errors.cpu()}

    def obey(self):
        """Does what was asked; waits as long as the training is paused."""
        trainer = self.trainer
        if trainer.steps_left is not None:
            trainer.steps_left -= 1
            if trainer.steps_left < 0:
                trainer.steps_left, trainer.is_paused = None, True
        while trainer.is_asked or trainer.is_paused:
            if trainer.is_paused:
                paused = time.monotonic()
                time.sleep(0.1)
                trainer.began += time.monotonic() - paused
                self.look()
            commands, trainer.asked, trainer.is_asked = self.team.told(trainer.asked), [], False
            for command in commands:
                self.do(command)

    def do(self, command):
        trainer = self.trainer
        key, value = setting_of(command)
        if command == "pause":
            trainer.is_paused = True
            if self.team.leads:
                trainer.folder.flush()
        elif command == "resume":
            trainer.is_paused, trainer.steps_left = False, None
        elif command == "stop" and trainer.position.step_in_epoch % self.stage.accumulate:
            # Gradients that wait for others of their update are in no checkpoint.
            trainer.is_stopping, trainer.is_paused = True, False
        elif command == "stop":
            if self.team.leads:
                trainer.folder.flush()
                trainer.folder.save(["last"], trainer.position, self.network, self.optimizer)
            raise Stop
        elif command.startswith("steps ") and command[6:].strip().isdigit():
            trainer.is_paused, trainer.steps_left = False, int(command[6:]) - 1
        elif value is not None and self.set(key, value):
            self.note(key, value)
        elif command != "refresh":
            trainer.tell(f"commands.txt: {command} is not done here")

    def set(self, key, value):
        """Changes a setting of the stage; False where it has none of this name."""
        groups = [] if self.optimizer is None else self.optimizer.param_groups
        if key == "lr":
            self.lr = value
        elif key == "momentum" and groups and groups[0].get("momentum"):
            for group in groups:
                group["momentum"] = value
        elif key == "weight_decay" and groups:
            for group in groups:
                if group["weight_decay"] > 0 or not self.stage.decays_weights_alone:
                    group["weight_decay"] = value
        elif key in ("rho", "beta") and self.stage.sparsity is not None:
            setattr(self.stage.sparsity, key, value)
        else:
            return False
        return True

    def note(self, key, value):
        """Keeps a change, so that a resumed training has it too."""
        trainer = self.trainer
        step = trainer.position.step + 1
        kept = [change for change in trainer.changes if change[:3] != (step, self.stage.name, key)]
        trainer.changes = [*kept, (step, self.stage.name, key, value)]
        if self.team.leads:
            trainer.folder.write_changes(trainer.changes)


def setting_of(command):
    """The name and the number of a command such as lr=0.01; no number where it is none."""
    key, _, value = (part.strip() for part in command.partition("="))
    try:
        return key, float(value)
    except ValueError:
        return key, None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="the folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on from its last checkpoint")
    parser.add_argument("--epochs", type=int, help="epochs of every stage, instead of the project's")
    parser.add_argument("--images", default=HERE / "images", help="the folder of the prepared images")
    parser.add_argument("--weights", help="begin with these weights, weights.safetensors for example")
    parser.add_argument("--device", help="cpu, cuda or cuda:1")
    parser.add_argument("--workers", type=int, default=0, help="processes that augment images ahead")
    return parser.parse_args()


if __name__ == "__main__":
    Trainer(arguments()).run()
