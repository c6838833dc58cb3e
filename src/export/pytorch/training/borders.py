"""Augmentations in which what comes in from outside is the image itself: mirrored, its edge, or its other side. torchvision
fills it with black alone."""

import numpy as np
import torch
from torch import nn


def extended(image, rows, columns, mode):
    """The image with so many rows and columns more on each side, as numpy.pad makes them of it."""
    height, width = image.shape[-2:]
    down = torch.from_numpy(np.pad(np.arange(height), rows, mode=mode))
    across = torch.from_numpy(np.pad(np.arange(width), columns, mode=mode))
    return image[..., down, :][..., across]


class Extended(nn.Module):
    """The image with a border before what follows, such as a crop."""

    def __init__(self, border, mode):
        super().__init__()
        self.border, self.mode = border, mode

    def forward(self, image):
        return extended(image, self.border, self.border, self.mode)


class Bordered(nn.Module):
    """A transform about the middle, of an image with borders of so many times its longer side; the middle is kept."""

    def __init__(self, transform, mode, times=1):
        super().__init__()
        self.transform, self.mode, self.times = transform, mode, times

    def forward(self, image):
        height, width = image.shape[-2:]
        border = self.times * max(height, width)
        moved = self.transform(extended(image, border, border, self.mode))
        return moved[..., border : border + height, border : border + width]


class Shifted(nn.Module):
    """Moves the image by up to a share of its sides, in whole pixels as torchvision's RandomAffine does."""

    def __init__(self, share, mode):
        super().__init__()
        self.share, self.mode = share, mode

    def forward(self, image):
        height, width = image.shape[-2:]
        right, down = (int(round(torch.empty(1).uniform_(-far, far).item())) for far in (self.share * width, self.share * height))
        moved = extended(image, height, width, self.mode)
        return moved[..., height - down : 2 * height - down, width - right : 2 * width - right]
