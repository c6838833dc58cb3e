class SpreadConv2d(nn.ConvTranspose2d):
    """A transposed convolution that is brought to its size before the bias is added; margins as F.pad takes them."""

    def __init__(self, *sizes, margins, **options):
        super().__init__(*sizes, **options)
        self.margins = margins

    def forward(self, x):
        whole = F.conv_transpose2d(x, self.weight, None, self.stride, 0, 0, self.groups, self.dilation)
        y = F.pad(whole, self.margins)
        return y if self.bias is None else y + self.bias.view(-1, *[1] * (y.dim() - 2))
