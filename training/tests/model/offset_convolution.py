"""The submanifold convolution that training used before: a loop over the offsets, one matrix product each."""


def convolve(x, weight, neighbors):
    """x [V, C], weight [kernel_volume * C, C'], neighbors int32 [V, kernel_volume], V where empty -> [V, C']."""
    result = x.new_zeros(len(x), weight.shape[1])
    channels = x.shape[1]
    for offset in range(neighbors.shape[1]):
        rows = (neighbors[:, offset] < len(x)).nonzero()[:, 0]
        sources = neighbors[rows, offset].long()
        part = x[sources] @ weight[offset * channels : (offset + 1) * channels]
        result = result.index_add(0, rows, part)
    return result
