class Crop(nn.Module):
    """Cuts from the sides; margins as F.pad takes them: of the last axis first, before and after."""

    def __init__(self, *margins):
        super().__init__()
        self.margins = [-margin for margin in margins]

    def forward(self, x):
        return F.pad(x, self.margins)
