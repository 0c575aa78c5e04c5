"""A macro in Python loops, told only what the ports carry: shares no arithmetic with golden or the
compiler."""

import numpy as np

__all__ = ["run_job_trivially"]


def run_job_trivially(config, job, write_ahead=False):
    """Results (tiles, batch, cols) of a job; ``write_ahead`` writes each tile before the tile
    before it computes."""
    cells, signs, mode = {}, {}, config.modes[job.fuse]

    def write(tile):
        bank = int(job.banks[tile])
        signs[bank] = job.w_signed
        for (row, col), weight in np.ndenumerate(job.weights[tile]):
            cells[bank, row, col] = _pattern(int(weight), mode.weight_bits)

    results = np.zeros((len(job.weights), job.inputs.shape[1], mode.outputs), np.int64)
    for tile in range(len(job.weights)):
        if tile == 0 or not write_ahead:
            write(tile)
        if write_ahead and tile + 1 < len(job.weights):
            write(tile + 1)
        bank, vectors = int(job.banks[tile]), job.inputs[job.k_index[tile]]
        for index, vector in enumerate(vectors):
            x = [
                _value(_pattern(int(element), job.x_bits), job.x_bits, job.x_signed)
                for element in vector
            ]
            for col in range(mode.outputs):
                w = [
                    _value(cells[bank, row, col], mode.weight_bits, signs[bank])
                    for row in range(config.rows)
                ]
                results[tile, index, col] = sum(a * b for a, b in zip(x, w, strict=True))
    return results


def _pattern(value, bits):
    return "".join("1" if value >> place & 1 else "0" for place in range(bits))


def _value(pattern, bits, signed):
    places = [2**place for place in range(bits)]
    if signed:
        places[-1] = -places[-1]
    return sum(place for place, bit in zip(places, pattern, strict=True) if bit == "1")
