#!/usr/bin/env python3
"""Trains LeNet on MNIST as a student writes it in PyTorch, data included: the peer of `strata train lenet-mnist`.

    lenet_mnist_torch.py DATA [--network builtin|bench] [--epochs 1] [--workers 0,2] [--threads 2] [--limit N]

DATA is a folder with MNIST's IDX files (.gz or not). Prints one JSON object: images a second over the training
epochs, with the number of DataLoader workers that was fastest; the time of every other number; the accuracy
on the test images. Adam with lr 1e-3 and batches of 64, as in the project. Needs torch and numpy.
"""
import argparse, gzip, json, os, time
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

BATCH = 64


class Mnist(Dataset):
    """Images as tensors in the usual normalisation, one at a time."""

    def __init__(self, folder, part, limit):
        self.images = idx(folder, f"{part}-images-idx3-ubyte", header=16).reshape(-1, 28, 28)[:limit]
        self.labels = idx(folder, f"{part}-labels-idx1-ubyte", header=8)[:limit]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = torch.from_numpy(self.images[i]).unsqueeze(0).float().div(255)
        return (image - 0.1307) / 0.3081, int(self.labels[i])


def idx(folder, name, header):
    path = os.path.join(folder, name)
    packed = os.path.exists(path + ".gz")
    with gzip.open(path + ".gz") if packed else open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header).copy()


def builtin():
    """`strata new lenet-mnist`"""
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def bench():
    """assets/bench/lenet-mnist.toml"""
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.MaxPool2d(2),
                         nn.ReLU(), nn.Flatten(), nn.Linear(1568, 100), nn.ReLU(), nn.Linear(100, 10))


def train(make, data, epochs, workers):
    """A trained network, and images a second over its epochs."""
    torch.manual_seed(0)
    net = make()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    start = time.perf_counter()
    for _ in range(epochs):
        running_loss = 0.0
        for images, labels in loader:
            opt.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()
            opt.step()
            running_loss += loss.item()
    return net, epochs * len(data) / (time.perf_counter() - start)


@torch.inference_mode()
def accuracy(net, data):
    net.eval()
    right = sum((net(images).argmax(1) == labels).sum().item() for images, labels in DataLoader(data, batch_size=1000))
    return right / len(data)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("--network", default="builtin", choices=["builtin", "bench"])
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--workers", default="0,2")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--limit", type=int, help="train on so many images only")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    data, test = Mnist(a.data, "train", a.limit), Mnist(a.data, "t10k", a.limit)
    make = {"builtin": builtin, "bench": bench}[a.network]
    trained = {int(workers): train(make, data, a.epochs, int(workers)) for workers in a.workers.split(",")}
    fastest = max(trained, key=lambda workers: trained[workers][1])
    net, speed = trained[fastest]
    print(json.dumps({
        "images_per_second": round(speed, 1),
        "workers": fastest,
        "by_workers": {workers: round(speed, 1) for workers, (_, speed) in trained.items()},
        "accuracy": accuracy(net, test),
    }))


if __name__ == "__main__":
    main()
