class GlobalMaxPool(nn.Module):
    """The maximum of each channel: a vector. The first of equal values gets the gradient."""

    def forward(self, x):
        return x.flatten(2).max(dim=2).values
