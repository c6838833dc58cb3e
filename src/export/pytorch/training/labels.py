"""Images that may have several labels, each a row of zeros and ones: how many of them are told right."""

import torch


def right(answer, labels):
    """Which labels are answered right: a score above 0 says that one is there."""
    return (answer > 0) == (labels > 0.5)


def counts(answer, labels):
    """Images of which every label is right, and of each label how often it is there, is answered, and both."""
    said, there = answer > 0, labels > 0.5
    exact = right(answer, labels).all(1).sum()
    each = torch.stack([there.sum(0), said.sum(0), (there & said).sum(0)])
    return [exact.item(), *each.flatten().tolist()]


def figures(counted, images):
    """The share of answers that are right, F1 (the mean over the labels), and the share of images without a fault."""
    exact, there, said, both = counted[0], *torch.tensor(counted[1:], dtype=torch.float64).view(3, -1)
    f1 = torch.where(there + said > 0, 2 * both / (there + said).clamp_min(1), 0.0)
    wrong = (there + said - 2 * both).sum().item()
    return {"accuracy": 1 - wrong / (images * len(there)), "f1": f1.mean().item(), "exact_match": exact / images}
