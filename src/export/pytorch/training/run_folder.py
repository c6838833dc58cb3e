"""The folder that a training leaves, in the form of Strata, which opens, compares and inspects it like its own."""

import csv
import json
import os
import shutil
import string
import random
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

try:
    import fcntl
except ImportError:  # Windows has no such locks; nothing else is lost.
    fcntl = None

METRICS = ["stage", "epoch", "step", "split", "loss", "accuracy", "log_loss", "lr", "seconds"]
# Where an image may have several labels.
METRICS_OF_LABELS = [*METRICS[:6], "f1", "exact_match", *METRICS[6:]]
STEPS = ["step", "stage", "epoch", "loss", "lr", "penalty", "accuracy"]
CHANGES = ["step", "stage", "setting", "value"]
# Seconds between two looks at commands.txt.
LOOK_EVERY = 0.15
# What PyTorch's optimizers call their memory, and what a checkpoint does.
MEMORY = {"momentum_buffer": "momentum_buffer", "exp_avg": "first", "exp_avg_sq": "second", "square_avg": "square_avg",
          "grad_avg": "grad_avg", "sum": "sum"}


def empty_tally():
    return {"images": 0, "loss": 0.0, "weight": 0.0, "correct": 0, "pixel_error": 0.0}


def empty_plateau():
    return {"best": None, "waited": 0, "cooling": 0, "factor": 1.0}


@dataclass
class Position:
    """How far a training has come: with the weights and the optimizer's memory, all that the next step depends on."""

    stage: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0
    epochs_done: int = 0
    tally: dict = field(default_factory=empty_tally)
    watch: dict = field(default_factory=lambda: {"best": None, "waited": 0})
    plateau: dict = field(default_factory=empty_plateau)

    def enter(self, stage):
        """The start of another stage."""
        return Position(stage=stage, step=self.step, epochs_done=self.epochs_done)

    def to_json(self):
        return json.dumps(exact(asdict(self)))

    @staticmethod
    def from_json(text):
        position = Position(**json.loads(text))
        for part in (position.tally, position.watch, position.plateau):
            part.update({key: float(value) for key, value in part.items() if isinstance(value, str)})
        position.tally = empty_tally() | position.tally
        return position


def exact(value):
    """Fractions as text, which every reader takes for the same number."""
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    return repr(value) if isinstance(value, float) else value


class RunFolder:
    """A run's folder, which one process writes and no second one at a time."""

    def __init__(self, path, resume):
        self.path = Path(path)
        if not resume and (self.path / "run.json").exists():
            raise SystemExit(f"{self.path} holds a run already: go on with it (--resume) or name another folder")
        if resume and not self.checkpoint("last").is_file():
            raise SystemExit(f"{self.path} has no checkpoint to go on from: start without --resume")
        for name in ("checkpoints", "probe"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        self.lock = open(self.path / ".lock", "a")
        try:
            if fcntl is not None:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"{self.path} is being trained by another process: stop that one first") from None
        # What was asked of an earlier training is not done by this one.
        self.commands = self.path / "commands.txt"
        self.commands.unlink(missing_ok=True)
        self.read_bytes, self.next_look = 0, 0.0
        self.record = {}

    def checkpoint(self, name):
        return self.path / "checkpoints" / f"{name}.safetensors"

    def begin(self, project, transform, record, step, has_rows):
        """Starts the tables, or cuts those of a run back to what its checkpoint knows."""
        self.columns = METRICS_OF_LABELS if has_rows else METRICS
        if not (self.path / "project.toml").is_file():
            shutil.copyfile(project, self.path / "project.toml")
        if transform.is_file():
            shutil.copyfile(transform, self.path / "whitening.safetensors")
        file = self.path / "run.json"
        earlier = json.loads(file.read_text()) if file.is_file() else {}
        parts = earlier.get("parts", []) + record.pop("parts")
        self.record = {"seconds": 0.0, "metrics": {}} | record
        self.record |= {key: earlier[key] for key in ("started", "seconds", "metrics") if key in earlier}
        self.record["parts"] = parts
        self.metrics = open_table(self.path / "metrics.csv", self.columns, step)
        self.steps = open_table(self.path / "steps.csv", STEPS, step)

    def write_record(self, **facts):
        self.record |= facts
        text = json.dumps(without_nan(self.record), indent=2)
        write_whole(self.path / "run.json", lambda file: file.write_text(text))

    def add_step(self, row):
        append(self.steps, row, STEPS)

    def add_metrics(self, rows):
        """Rows of an epoch, on the disk with all steps before them."""
        for row in rows:
            append(self.metrics, row, self.columns)
        for table in (self.steps, self.metrics):
            table.flush()
            os.fsync(table.fileno())

    def flush(self):
        self.steps.flush()

    def save(self, names, position, network, optimizer):
        """Writes a checkpoint under each of these names; each file is there whole or not at all."""
        tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()
                   if not key.endswith("num_batches_tracked")}
        tensors |= memory_of(network, optimizer) if optimizer is not None else {}
        for name in names:
            metadata = {"strata": position.to_json()}
            write_whole(self.checkpoint(name), lambda file: save_file(tensors, file, metadata=metadata))

    def save_probe(self, stage, epoch, tensors):
        """The pictures of an epoch."""
        if tensors:
            file = self.path / "probe" / f"stage-{stage + 1}-epoch-{epoch:04}.safetensors"
            write_whole(file, lambda file: save_file(tensors, file))

    def asked(self):
        """The commands that were written since the last look: "pause", "resume", "stop", "steps 100", "lr=0.01"."""
        if time.monotonic() < self.next_look:
            return []
        self.next_look = time.monotonic() + LOOK_EVERY
        try:
            text = self.commands.read_bytes()
        except FileNotFoundError:
            return []
        if len(text) < self.read_bytes:
            self.read_bytes = 0
        # A line without its end is still being written.
        whole = text[self.read_bytes:].rpartition(b"\n")[0]
        self.read_bytes += len(whole) + 1 if whole else 0
        lines = (line.strip() for line in whole.decode(errors="replace").splitlines())
        return [line for line in lines if line and not line.startswith("#")]

    def write_changes(self, changes):
        def write(file):
            with open(file, "w", newline="") as table:
                csv.writer(table, lineterminator="\n").writerows([CHANGES, *changes])

        write_whole(self.path / "changes.csv", write)

    def close(self):
        self.commands.unlink(missing_ok=True)


def changes_of(run):
    """The settings that were changed while a run trained: step, stage, setting, value."""
    file = Path(run) / "changes.csv"
    if not file.is_file():
        return []
    with open(file, newline="") as rows:
        return [(int(row["step"]), row["stage"], row["setting"], float(row["value"])) for row in csv.DictReader(rows)]


def memory_of(network, optimizer):
    """The optimizer's memory under the names of the parameters."""
    tensors, updates = {}, 0
    for group in optimizer.param_groups:
        state = optimizer.state.get(group["params"][0], {})
        taken = int(state.get("step", 0))
        updates = max(updates, taken + group.get("begins_after", 0) if taken else 0)
        for key, value in state.items():
            if key in MEMORY and value is not None:
                name = kept_name(optimizer, key)
                tensors[f"optimizer.{group['name']}.{name}"] = value.detach().cpu().contiguous()
    # A training that goes on in Strata wants some of every parameter.
    for name, parameter in network.named_parameters():
        for kept in kept_names(optimizer):
            tensors.setdefault(f"optimizer.{name}.{kept}", torch.zeros_like(parameter, device="cpu"))
    return tensors | {"optimizer.steps": torch.tensor([updates])}


def kept_name(optimizer, key):
    is_sgd = isinstance(optimizer, torch.optim.SGD)
    return "first" if is_sgd and key == "momentum_buffer" else MEMORY[key]


def kept_names(optimizer):
    """What a checkpoint keeps of every parameter."""
    group = optimizer.param_groups[0]
    if isinstance(optimizer, torch.optim.SGD):
        return ["first"] if group["momentum"] else []
    if isinstance(optimizer, (torch.optim.Adam, torch.optim.AdamW)):
        return ["first", "second"]
    if isinstance(optimizer, torch.optim.Adagrad):
        return ["sum"]
    return ["square_avg"] + ["momentum_buffer"] * bool(group["momentum"]) + ["grad_avg"] * bool(group["centered"])


def load_checkpoint(file, network):
    """Gives the network its weights; returns the position and the optimizer's memory by name."""
    with safe_open(file, "pt") as checkpoint:
        position = Position.from_json(checkpoint.metadata()["strata"])
        tensors = {key: checkpoint.get_tensor(key) for key in checkpoint.keys()}
    memory = {key: tensors.pop(key) for key in list(tensors) if key.startswith("optimizer.")}
    lacking = network.load_state_dict(tensors, strict=False)
    wrong = [key for key in lacking.missing_keys if not key.endswith("num_batches_tracked")]
    if wrong or lacking.unexpected_keys:
        raise SystemExit(f"{file} is of another network: {(wrong + lacking.unexpected_keys)[0]}")
    return position, memory


def load_memory(optimizer, memory):
    """Gives an optimizer back what it remembered."""
    updates = int(memory.get("optimizer.steps", torch.zeros(1)).reshape(-1)[0])
    counts = not isinstance(optimizer, torch.optim.SGD)
    for group in optimizer.param_groups:
        parameter = group["params"][0]
        # A layer that is unfrozen later has taken fewer.
        taken = max(updates - group.get("begins_after", 0), 0)
        state = {"step": torch.tensor(float(taken))} if counts else {}
        for key in MEMORY:
            kept = memory.get(f"optimizer.{group['name']}.{kept_name(optimizer, key)}")
            if kept is not None and belongs(optimizer, key):
                state[key] = kept.to(parameter.device).clone()
        optimizer.state[parameter] = state


def belongs(optimizer, key):
    return kept_name(optimizer, key) in kept_names(optimizer)


def open_table(file, columns, step):
    """A table to append to, without rows of steps that are still to be taken."""
    rows = []
    if step > 0 and file.is_file():
        with open(file, newline="") as table:
            rows = [row for row in csv.DictReader(table) if is_until(row, step)]

    def write(path):
        with open(path, "w", newline="") as table:
            writer = csv.DictWriter(table, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_whole(file, write)
    return open(file, "a", newline="")


def is_until(row, step):
    """Whether a row is whole, and of a step that is done."""
    return None not in row.values() and row["step"].isdigit() and int(row["step"]) <= step


def append(table, row, columns):
    writer = csv.DictWriter(table, columns, lineterminator="\n")
    writer.writerow({key: "" if row.get(key) is None else row[key] for key in columns})


def write_whole(path, write):
    """Replaces a file in one step, so that whoever reads it or ends this process finds the old one or the new one."""
    letters = "".join(random.choices(string.ascii_letters + string.digits, k=6))
    temporary = path.with_name(f".strata-{letters}")
    write(temporary)
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)


def without_nan(value):
    """JSON knows neither NaN nor infinity."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and value - value != 0 else value
