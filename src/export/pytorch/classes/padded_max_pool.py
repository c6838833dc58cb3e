class PaddedMaxPool2d(nn.MaxPool2d):
    """Max pooling with margins of its own before and after each axis, as F.pad takes them: last axis first."""

    def __init__(self, *sizes, margins, **options):
        super().__init__(*sizes, **options)
        self.margins = margins

    def forward(self, x):
        return super().forward(F.pad(x, self.margins, value=float("-inf")))
