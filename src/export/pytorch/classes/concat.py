class Concat(nn.ModuleList):
    """Branches on one input, joined along channels."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)
