"""The example of a binary network: handwritten digits, every product of -1 and 1."""

import numpy as np

from cimforge.compiler.applications.binary_job import binary_matmul, binary_settings
from cimforge.compiler.applications.binary_network import (
    LEVELS,
    predict_binary,
    train_binary,
)
from cimforge.compiler.applications.outcome import Compared, Example, Outcome
from cimforge.compiler.digits import accuracy, load
from cimforge.compiler.matmul import RunJob, exact_matmul
from cimforge.hdl.params.config import MacroConfig

__all__ = ["BINARY"]


def _run(config: MacroConfig, run_job: RunJob, seed: int) -> Outcome:
    data = load()
    network = train_binary(data, seed)
    images, labels = data.test_images, data.test_labels
    matmul = Compared(binary_matmul(config, run_job))
    read = predict_binary(network, images, matmul)
    exact = predict_binary(network, images, exact_matmul)
    (inputs, hidden), classes = network.w1.shape, network.w2.shape[1]
    share = accuracy(read, labels)
    facts = {"layers": [inputs, hidden, classes], "images": len(images), "accuracy": share}
    rows = [
        ("network", f"{inputs} - {hidden} - {classes}, {len(LEVELS)} inputs a pixel, all -1 or 1"),
        ("accuracy", f"{share:.2%} of {len(images)} images"),
    ]
    equal = matmul.equal and bool(np.array_equal(read, exact))
    return Outcome(equal, "every sum and label by NumPy", facts, rows)


BINARY = Example(
    "a binary network reads handwritten digits, all products of -1 and 1",
    "base",
    ("rows=48", "cols=32", *binary_settings()),
    True,
    _run,
)
