class SeparableConv(nn.Module):
    """Each channel with its own kernel, then a convolution of one position that mixes them (Keras SeparableConv2D)."""

    def __init__(self, depthwise, pointwise):
        super().__init__()
        self.depthwise = depthwise
        self.pointwise = pointwise

    def forward(self, x):
        return self.pointwise(self.depthwise(x))
