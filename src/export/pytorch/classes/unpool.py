class Unpool(nn.Module):
    """Puts values back where a KeepingMaxPool took its maxima from, zeros elsewhere; values of one place add up."""

    def undoes(self, pool):
        # In a list, so that the pooling is not registered as a part of this layer too.
        self.pools = [pool]

    def forward(self, x):
        pool = self.pools[0]
        size = pool.padded[2:]
        flat = x.new_zeros(*x.shape[:2], size.numel())
        flat = flat.scatter_add(2, pool.places.flatten(2), x.flatten(2))
        return F.pad(flat.view(*x.shape[:2], *size), [-margin for margin in pool.margins])
