"""cimforge prove: that the adders of the emitted Verilog add."""

from dataclasses import asdict
from pathlib import Path

import click

from cimforge.flow.formal.adder_proof import AdderProof, prove_adders
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.yosys import YosysError
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

CONTRACT = ("proven", "adders", "leaves", "whole", "faults", "laws", "broken")
SHOWN = 10  # faults printed; --json has all


@click.command(epilog=config_epilog, short_help="Prove that the emitted adders add.")
@config_options
def prove(config: str, overrides: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Prove the adders of CONFIG's emitted Verilog: every bit's weight, every bit used once, no
    carry dropped that may be 1, one register depth on all paths; each leaf cell, and small adders
    whole, by SAT."""
    macro = load_config(config, overrides)
    folder = default_folder(output, macro)
    with steps(f"proving {macro.module}") as announce:
        try:
            emit_macro(macro, folder, macro_extras(macro))
            announce(f"proving the adders of {macro.module}")
            proof = prove_adders(macro, folder)
        except YosysError as error:
            if as_json:
                print_json({**dict.fromkeys(CONTRACT), "proven": False, "failed": str(error)})
            raise CheckFailedError(error) from None
    if as_json:
        values = (
            *(not proof.faults, proof.adders, list(proof.leaves), proof.whole),
            [str(fault) for fault in proof.faults],
            *(proof.leaves, [asdict(fault) for fault in proof.faults]),
        )
        print_json(dict(zip(CONTRACT, values, strict=True)))
    else:
        _show(macro.module, proof)
    for fault in proof.faults[:SHOWN]:
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
            "yes" if adder in proof.whole else "too wide: by its cells",
        )
        for adder, cells in proof.adders.items()
    ]
    rows += [
        (f"{leaf}: {law}", "", "NO" if leaf in faulty else "yes", "yes")
        for leaf, law in proof.leaves.items()
    ]
    show_table(name, rows, ("adder", "cells", "proven", "whole, by SAT"))
