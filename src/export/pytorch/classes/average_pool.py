class AveragePool2d(nn.Module):
    """The mean of each window. Zeros of the margins count, or are left out as TensorFlow does."""

    def __init__(self, kernel_size, stride, dilation, margins, count_margins):
        super().__init__()
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.margins, self.count_margins = margins, count_margins

    def sums(self, x):
        channels = x.shape[1]
        ones = x.new_ones(channels, 1, *self.kernel_size)
        padded = F.pad(x, self.margins)
        return F.conv2d(padded, ones, stride=self.stride, dilation=self.dilation, groups=channels)

    def forward(self, x):
        if self.count_margins:
            return self.sums(x) / torch.tensor(self.kernel_size).prod()
        return self.sums(x) / self.sums(torch.ones_like(x))
