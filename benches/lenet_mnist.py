#!/usr/bin/env python3
"""Trains LeNet on MNIST with Strata and with PyTorch in turn, data included, and prints the ratio.

    lenet_mnist.py STRATA_BINARY DATA [--network builtin|bench] [--rounds 3] [--epochs 1] [--threads 2] [--python python3]

DATA is a folder with MNIST's IDX files. The ratio is Strata's time for an image by PyTorch's in the same round
(below 1: Strata is faster), PyTorch with as many DataLoader workers as serve it best; the median counts. Keep
the machine otherwise idle. --python needs torch and numpy.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(HERE, "..", "assets", "bench", "lenet-mnist.toml")
PROJECTS = {"builtin": ["lenet-mnist"], "bench": [BENCH, "--set", "stage.0.optimizer=adam lr=1e-3"]}


def strata(a):
    """Images a second of a run that is thrown away, and its accuracy on the test images."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ["--set", f"data.path={os.path.abspath(a.data)}"]
        settings += ["--set", f"data.limit={a.limit}"] if a.limit else []
        options = ["-o", os.path.join(folder, "run"), "--epochs", str(a.epochs), "--device", "cpu", "--json"]
        command = [a.strata, "train", *PROJECTS[a.network], *settings, *options]
        threads = {**os.environ, "RAYON_NUM_THREADS": str(a.threads)}
        out = json.loads(subprocess.check_output(command, env=threads, stderr=subprocess.DEVNULL))
        return out["images_per_second"], out["test"]["accuracy"]


def torch(a):
    """The same of the peer."""
    common = ["--network", a.network, "--epochs", str(a.epochs), "--threads", str(a.threads), "--workers", a.workers]
    common += ["--limit", str(a.limit)] if a.limit else []
    out = json.loads(subprocess.check_output([a.python, os.path.join(HERE, "lenet_mnist_torch.py"), a.data, *common]))
    return out["images_per_second"], out["accuracy"], out["workers"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("strata")
    p.add_argument("data")
    p.add_argument("--network", default="builtin", choices=PROJECTS)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", default="0,2")
    p.add_argument("--limit", type=int, help="train on so many images only")
    p.add_argument("--python", default=sys.executable)
    a = p.parse_args()
    print(f"{'round':>5}{'strata img/s':>14}{'torch img/s':>14}{'workers':>9}{'ratio':>8}   accuracies")
    ratios = []
    for number in range(1, a.rounds + 1):
        ours, our_accuracy = strata(a)
        theirs, their_accuracy, workers = torch(a)
        ratios.append(theirs / ours)
        print(f"{number:5}{ours:14.0f}{theirs:14.0f}{workers:9}{ratios[-1]:8.2f}   {our_accuracy:.4f} {their_accuracy:.4f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})")


if __name__ == "__main__":
    main()
