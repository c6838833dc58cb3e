#!/usr/bin/env python3
"""Runs `strata bench data` and its torchvision peer in turn, on the same files, and prints the ratio case by case.

    pipeline.py STRATA_BINARY DATA [--rounds 3] [--threads 2] [--python python3]

DATA is a folder for the pictures, drawn by Strata where they are absent; real ones may lie there instead, as
CIFAR-10's binary batches in DATA/augment-32, STL-10's binary files in DATA/resize-96, folders of JPEG files by
class in DATA/jpeg-folder. The ratio is Strata's images a second by torchvision's in the same round (above 1:
Strata is faster), with as many loading threads as DataLoader workers; the median counts. Where Strata keeps what
it has made (decoded and scaled pictures), its first epoch is compared, opening and listing the files included,
with later epochs of torchvision, whose workers run already. The last line is the speed that the CIFAR network
keeps when it is fed by the whole pipeline. Keep the machine otherwise idle. --python needs torch, torchvision, numpy.
"""
import argparse, json, os, statistics, subprocess, sys

PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipeline_torch.py")
CASES = ["augment-32", "resize-96", "jpeg-folder"]


def output(command):
    return json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("strata")
    p.add_argument("data")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--python", default=sys.executable)
    a = p.parse_args()
    ratios, trained = {name: [] for name in CASES}, []
    print(f"{'case':12}{'round':>6}{'strata img/s':>14}{'torch img/s':>13}{'ratio':>7}  torchvision's fastest way")
    for number in range(1, a.rounds + 1):
        ours = output([a.strata, "bench", "data", "--data", a.data, "--threads", str(a.threads), "--json"])
        theirs = output([a.python, PEER, a.data, "--workers", str(a.threads)])
        for name in CASES:
            mine, peer = ours[name]["images_per_second"], theirs[name]["images_per_second"]
            ratios[name].append(mine / peer)
            print(f"{name:12}{number:6}{mine:14.0f}{peer:13.0f}{mine / peer:7.2f}  {theirs[name]['way']}", flush=True)
        trained.append(ours["training"]["percent"])
    for name, all in ratios.items():
        print(f"{name}: median ratio {statistics.median(all):.2f} ({min(all):.2f}..{max(all):.2f})")
    print(f"training fed by the pipeline: {statistics.median(trained):.1f} % of the speed on data in memory ({min(trained):.1f}..{max(trained):.1f})")


if __name__ == "__main__":
    main()
