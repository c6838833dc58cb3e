#!/usr/bin/env python3
"""Reads, decodes, scales and augments images with torchvision and a DataLoader: the peer of `strata bench data`.

    pipeline_torch.py DATA [--cases augment-32,resize-96,jpeg-folder] [--workers 2] [--epochs 3] [--ways pil,pil-v2,tensor]

DATA is the folder that `strata bench data --data DATA` filled. Prints one JSON object: for each case images a
second in epochs after the first (which starts the workers and does not count), the median, in the way that was
fastest: Pillow images through `transforms`, Pillow images through `transforms.v2`, or tensors through
`transforms.v2`; and the speed of every way. Batches of 64 floats from 0 to 1. Needs torch, torchvision and numpy.
"""
import argparse, glob, json, os, statistics, time
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as v1
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

BATCH = 64
WAYS = ["pil", "pil-v2", "tensor"]


class Images(Dataset):
    """Images one at a time: `read(index, as_tensor)`, then what `transform` makes of it."""

    def __init__(self, read, labels, transform, as_tensor):
        self.read, self.labels, self.transform, self.as_tensor = read, labels, transform, as_tensor

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.read(i, self.as_tensor)), int(self.labels[i])


def in_memory(images):
    """Reads from an array N×H×W×3; tensors have their planes one after the other."""
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    return lambda i, as_tensor: planes[i] if as_tensor else Image.fromarray(images[i])


def files(paths):
    def read(i, as_tensor):
        if as_tensor:
            return decode_image(paths[i], mode=ImageReadMode.RGB)
        with open(paths[i], "rb") as file:
            return Image.open(file).convert("RGB")

    return read


def augment_32(folder):
    """CIFAR-10's binary batches."""
    batches = [np.fromfile(path, np.uint8) for path in sorted(glob.glob(os.path.join(folder, "data_batch_*.bin")))]
    records = np.concatenate(batches).reshape(-1, 3073)
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    make = lambda t: [t.RandomHorizontalFlip(0.5), t.RandomRotation(18), t.RandomAffine(0, translate=(0.1, 0.1)),
                      t.ColorJitter(contrast=(0.8, 1.2))]
    return in_memory(images), records[:, 0], make


def resize_96(folder):
    """STL-10's binary files, whose planes lie column by column."""
    images = np.fromfile(os.path.join(folder, "train_X.bin"), np.uint8).reshape(-1, 3, 96, 96)
    labels = np.fromfile(os.path.join(folder, "train_y.bin"), np.uint8)
    return in_memory(np.ascontiguousarray(images.transpose(0, 3, 2, 1))), labels, lambda t: [t.Resize((32, 32), antialias=True)]


def jpeg_folder(folder):
    """A folder of files for each class."""
    paths = sorted(glob.glob(os.path.join(folder, "*", "*.jpg")))
    classes = sorted({os.path.dirname(path) for path in paths})
    return files(paths), [classes.index(os.path.dirname(path)) for path in paths], lambda t: []


CASES = {"augment-32": augment_32, "resize-96": resize_96, "jpeg-folder": jpeg_folder}


def transform(make, way):
    if way == "pil":
        return v1.Compose([*make(v1), v1.ToTensor()])
    to_tensor = [v2.PILToTensor()] if way == "pil-v2" else []
    return v2.Compose([*make(v2), *to_tensor, v2.ToDtype(torch.float32, scale=True)])


def speed(data, workers, epochs):
    """Images a second, the median over the epochs after the first."""
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    seconds = []
    for _ in range(epochs + 1):
        start = time.perf_counter()
        images = sum(len(labels) for _, labels in loader)
        seconds.append(time.perf_counter() - start)
    return images / statistics.median(seconds[1:])


def measure(name, a):
    read, labels, make = CASES[name](os.path.join(a.data, name))
    ways = {way: speed(Images(read, labels, transform(make, way), way == "tensor"), a.workers, a.epochs) for way in a.ways.split(",")}
    fastest = max(ways, key=ways.get)
    return {"images": len(labels), "images_per_second": ways[fastest], "way": fastest, "ways": ways}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("--cases", default=",".join(CASES))
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--ways", default=",".join(WAYS))
    a = p.parse_args()
    print(json.dumps({name: measure(name, a) for name in a.cases.split(",")}))


if __name__ == "__main__":
    main()
