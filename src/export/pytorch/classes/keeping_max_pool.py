class KeepingMaxPool2d(nn.Module):
    """Max pooling that keeps where its maxima were, for Unpool."""

    def __init__(self, kernel_size, stride, dilation, margins):
        super().__init__()
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.margins = margins

    def forward(self, x):
        x = F.pad(x, self.margins, value=float("-inf"))
        self.padded = x.shape
        y, self.places = F.max_pool2d(
            x, self.kernel_size, self.stride, dilation=self.dilation, return_indices=True
        )
        return y
