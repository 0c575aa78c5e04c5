"""The examples of a Hamming search: the nearest of stored keys, and reads of DNA in a genome."""

import numpy as np

from cimforge.compiler.applications.binary_job import binary_matmul, binary_settings
from cimforge.compiler.applications.gene_match import BASES, find_reads
from cimforge.compiler.applications.hamming import hamming_distances, nearest_keys
from cimforge.compiler.applications.outcome import Example, Outcome
from cimforge.compiler.matmul import RunJob
from cimforge.hdl.params.config import MacroConfig

__all__ = ["GENES", "HAMMING"]

KEYS, BITS, QUERIES, FLIPPED = 300, 100, 64, 20
GENOME, READS, BASES_READ, MISMATCHES = 512, 40, 24, 3


def _run_search(config: MacroConfig, run_job: RunJob, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    keys = random.integers(0, 2, (KEYS, BITS))
    meant = random.integers(0, KEYS, QUERIES)
    queries = keys[meant].copy()
    for query in queries:
        query[random.choice(BITS, FLIPPED, replace=False)] ^= 1
    distances = hamming_distances(queries, keys, binary_matmul(config, run_job))
    places, least = nearest_keys(distances)

    plain = np.array([(query ^ keys).sum(axis=1) for query in queries])
    first = [min((d, place) for place, d in enumerate(row)) for row in plain.tolist()]
    equal = np.array_equal(distances, plain) and first == [
        *zip(least.tolist(), places.tolist(), strict=True)
    ]
    right = int((places == meant).sum())
    facts = {"keys": KEYS, "bits": BITS, "queries": QUERIES, "flipped": FLIPPED, "found": right}
    rows = [
        ("keys", f"{KEYS} of {BITS} bits"),
        ("queries", f"{QUERIES}, each a key of which {FLIPPED} bits are flipped"),
        ("nearest key is that key", f"{right} of {QUERIES}"),
    ]
    return Outcome(equal, "every distance and nearest key by exclusive or", facts, rows)


def _run_genes(config: MacroConfig, run_job: RunJob, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    letters = np.array([*BASES])
    genome = letters[random.integers(0, 4, GENOME)]
    meant = random.integers(0, GENOME - BASES_READ + 1, READS)
    reads = []
    for place in meant:
        read = genome[place : place + BASES_READ].copy()
        wrong = random.choice(BASES_READ, random.integers(0, MISMATCHES + 1), replace=False)
        read[wrong] = letters[random.integers(0, 4, len(wrong))]
        reads.append("".join(read))
    matmul = binary_matmul(config, run_job)
    found = find_reads("".join(genome), reads, MISMATCHES, matmul)

    windows = np.lib.stride_tricks.sliding_window_view(genome, BASES_READ)
    plain = []
    for number, letters_read in enumerate(reads):
        differ = (windows != np.array([*letters_read])).sum(axis=1)
        plain += [(number, int(p), int(differ[p])) for p in np.flatnonzero(differ <= MISMATCHES)]
    right = len({match.read for match in found if match.place == meant[match.read]})
    facts = {
        "genome": GENOME,
        "reads": READS,
        "read_bases": BASES_READ,
        "most_mismatches": MISMATCHES,
        "matches": len(found),
        "found": right,
    }
    rows = [
        ("genome", f"{GENOME} bases, {len(windows)} windows of {BASES_READ}, 3 bits a base"),
        ("reads", f"{READS}, with up to {MISMATCHES} mismatches"),
        ("found where they are from", f"{right} of {READS}, {len(found)} matches in all"),
    ]
    return Outcome([*map(tuple, found)] == plain, "every match by letters", facts, rows)


SETTINGS = ("rows=48", "cols=32", *binary_settings())
HAMMING = Example(
    "the nearest of 300 stored keys of 100 bits, by Hamming distance",
    "base",
    SETTINGS,
    True,
    _run_search,
)
GENES = Example(
    "reads of DNA found in a genome with up to 3 mismatches", "base", SETTINGS, True, _run_genes
)
