"""The images of the project, as Strata prepared them: pixels in images/SPLIT.npy, labels in images/SPLIT.labels.npy: a class
of each image, or where it may have several labels a row of zeros and ones."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset

from settings import AUGMENT, AUGMENTED_SPLITS, BALANCED, CROP, ENDS, INPUT, NORMALIZED, SEED

LARGEST_SEED = 2**63 - 1


class Split(Dataset):
    """The images of a split with their labels, -1 where there is none."""

    def __init__(self, folder, name):
        self.name = name
        # Mapped, not read: a batch takes from the disk what it needs.
        self.pixels = np.load(folder / f"{name}.npy", mmap_mode="r")
        labels = folder / f"{name}.labels.npy"
        self.labels = np.load(labels) if labels.is_file() else np.full(len(self.pixels), -1)
        self.transform = InputTransform(folder)

    def __len__(self):
        return len(self.pixels)

    @property
    def labelled(self):
        return len(self) > 0 and (self.has_rows or self.labels[0] >= 0)

    @property
    def has_rows(self):
        """Whether an image may have several labels."""
        return self.labels.ndim == 2

    def order(self, epoch):
        """The order of an epoch's images, the same in every process and whenever it is asked for."""
        generator = torch.Generator().manual_seed(mixed(SEED, epoch))
        if BALANCED and self.name == "train" and self.labelled:
            counts = np.bincount(self.labels)
            weights = torch.from_numpy(1.0 / counts[self.labels])
            return torch.multinomial(weights, len(self), replacement=True, generator=generator).numpy()
        return torch.randperm(len(self), generator=generator).numpy()

    def fractions(self, places, epoch=None):
        """Images as fractions from 0 (black) to 1 (white), N x C x H x W, augmented where an epoch is given."""
        pixels = torch.from_numpy(self.pixels[np.asarray(places)])
        images = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels.float()
        if epoch is not None and AUGMENT is not None and self.name in AUGMENTED_SPLITS:
            return torch.stack([self.augmented(image, place, epoch) for image, place in zip(images, places)])
        return images if CROP is None else CROP(images)

    def augmented(self, image, place, epoch):
        """What is drawn depends on the seed, the epoch and the image alone, whichever process draws it."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mixed(SEED, epoch, int(place)))
            return AUGMENT(image)

    def inputs(self, places, epoch=None):
        """Images as the network sees them."""
        return self.transform(self.fractions(places, epoch))

    def __getitems__(self, requests):
        places, epochs = zip(*requests)
        return self.inputs(list(places), epochs[0]), self.targets(list(places))

    def targets(self, places):
        """Classes, or rows of labels."""
        return torch.as_tensor(self.labels[places], dtype=torch.float32 if self.has_rows else torch.long)

    def batches(self, batches, epoch, workers):
        """Loads lists of places, one after the other."""
        sampler = [[(int(place), epoch) for place in batch] for batch in batches]
        return DataLoader(self, batch_sampler=sampler, num_workers=workers, collate_fn=lambda loaded: loaded)


class InputTransform:
    """From fractions to the numbers that the network sees: range or normalize, center, whiten."""

    def __init__(self, folder):
        low, high = torch.tensor(ENDS).T
        self.low, self.width = low.view(1, -1, 1, 1), (high - low).view(1, -1, 1, 1)
        file = folder / "whitening.safetensors"
        self.fitted = load_file(file) if file.is_file() else {}

    def __call__(self, fractions):
        images = self.low + self.width * fractions
        if "level" in self.fitted:
            images = images - images.mean((1, 2, 3), keepdim=True)
        if "whitening" in self.fitted:
            images = self.multiplied(images, "whitening", -self.fitted["mean"], 0)
        return images.view(-1, *INPUT)

    def multiplied(self, images, matrix, before, after):
        """Images times a matrix that is for images with their channels last."""
        rows = images.movedim(1, -1)
        matrix = self.fitted[matrix].view(rows[0].numel(), -1).to(images.device)
        return ((rows.flatten(1) + before) @ matrix + after).view(rows.shape).movedim(-1, 1).contiguous()

    def pixel_errors(self, errors):
        """Errors of the network's numbers in the units in which Strata gives those of pixels."""
        errors = as_pictures(errors)
        if "inverse" in self.fitted:
            errors = self.multiplied(errors, "inverse", 0, 0)
        return errors / self.width.abs().to(errors.device) if NORMALIZED else errors

    def to_pixels(self, images):
        """What the network sees or makes as bytes, N x H x W x C."""
        images = as_pictures(images)
        if "inverse" in self.fitted:
            images = self.multiplied(images, "inverse", 0, self.fitted["mean"])
        images = images + self.fitted.get("level", 0.0)
        pixels = ((images - self.low) / self.width * 255).nan_to_num(0).round().clamp(0, 255)
        return pixels.to(torch.uint8).movedim(1, -1).contiguous()


def as_pictures(images):
    """A signal as one row, the slices of a volume one below the other: N x C x H x W."""
    return images.reshape(len(images), images.shape[1], -1, images.shape[-1])


def mixed(*numbers):
    """One seed from several."""
    words = np.random.SeedSequence([number % 2**64 for number in numbers]).generate_state(2, np.uint64)
    return int(words[0] % LARGEST_SEED)


def splits(folder):
    """The splits that there are, by name."""
    folder = Path(folder)
    names = [name for name in ("train", "valid", "test", "unlabeled") if (folder / f"{name}.npy").is_file()]
    if not names:
        raise SystemExit(f"{folder} holds no images; export the run again where Strata finds them")
    return {name: Split(folder, name) for name in names}
