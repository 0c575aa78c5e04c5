"""cimforge prove: that the adders of the emitted Verilog add."""

from pathlib import Path

import click

from cimforge.flow.formal.adder_proof import AdderProof, prove_adders
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.config_file import load_config
from cimforge.scripts.options import (
    CheckFailedError,
    config_epilog,
    config_options,
    default_folder,
    print_json,
    show_table,
    stderr,
    steps,
)

__all__ = ["prove"]


@click.command(epilog=config_epilog, short_help="Prove that the emitted adders add.")
@config_options
def prove(config: str, overrides: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Prove the adders of CONFIG's emitted Verilog: every bit's weight, every bit used once, no
    carry dropped that may be 1, one register depth on all paths; each leaf cell, and small adders
    whole, by SAT."""
    macro = load_config(config, overrides)
    folder = default_folder(output, macro)
    emit_macro(macro, folder, macro_extras(macro))
    with steps(f"proving {macro.module}") as announce:
        announce(f"proving the adders of {macro.module}")
        proof = prove_adders(macro, folder)
    if as_json:
        print_json(
            {
                "proven": not proof.faults,
                **{"adders": proof.adders, "leaves": proof.leaves, "whole": proof.whole},
                "faults": [str(fault) for fault in proof.faults],
            }
        )
    else:
        _show(macro.module, proof)
    for fault in proof.faults[:10]:
        stderr.print(f"FAILED {fault}")
    if proof.faults:
        raise CheckFailedError(f"{len(proof.faults)} faults in the adders of {macro.module}")


def _show(name: str, proof: AdderProof) -> None:
    faulty = {fault.module for fault in proof.faults}
    rows = [
        (
            adder.removeprefix(f"{name}_"),
            str(cells),
            "NO" if adder in faulty else "yes",
            "yes" if adder in proof.whole else "too wide or pipelined",
        )
        for adder, cells in proof.adders.items()
    ]
    rows += [(leaf, "", "NO" if leaf in faulty else "yes", "yes") for leaf in proof.leaves]
    show_table(name, rows, ("adder", "cells", "proven", "whole, by SAT"))
