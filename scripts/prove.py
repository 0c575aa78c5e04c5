"""cimforge prove: that the adders of the emitted Verilog add."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cimforge.flow.formal.adder_proof import AdderProof, prove_adders
from cimforge.flow.formal.mapped_proof import MappedProof, prove_mapped
from cimforge.flow.formal.tree_claims import unclaimed_sums
from cimforge.flow.formal.tree_rules import Fault
from cimforge.flow.liberty.library import read_library
from cimforge.flow.liberty.library_path import find_libraries
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.synth.storage_check import check_storage
from cimforge.flow.synth.targets import LIBERTY
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

CONTRACT = (
    *("proven", "adders", "leaves", "whole", "faults", "laws", "broken", "mapped", "unclaimed"),
)
SHOWN = 10  # faults printed; --json has all


@click.command(epilog=config_epilog, short_help="Prove that the emitted adders add.")
@config_options
@click.option(
    "--liberty",
    multiple=True,
    metavar="FILE",
    help="Prove the netlist on this cell library as well; named as for synth, repeatable.",
)
def prove(
    config: str,
    overrides: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    liberty: tuple[str, ...],
) -> None:
    """Prove the adders of CONFIG's emitted Verilog: every bit's weight, every bit used once, no
    carry dropped that may be 1, one register depth on all paths; each leaf cell, and small adders
    whole, by SAT. With --liberty their netlist, by what its cells compute."""
    macro = load_config(config, overrides)
    library = read_library(*find_libraries(liberty).paths) if liberty else None
    if library:
        check_storage(macro, LIBERTY, "--liberty")
    folder = default_folder(output, macro)
    mapped = None
    with steps(f"proving {macro.module}") as announce:
        try:
            emit_macro(macro, folder, macro_extras(macro))
            announce(f"proving the adders of {macro.module}")
            proof = prove_adders(macro, folder)
            if library:
                announce(f"mapping {macro.module} to {library.name}")
                mapped = prove_mapped(macro, folder, library, proof.words)
        except YosysError as error:
            if as_json:
                print_json({**dict.fromkeys(CONTRACT), "proven": False, "failed": str(error)})
            raise CheckFailedError(error) from None
    unclaimed = unclaimed_sums(macro)
    faults = [*proof.faults, *(mapped.faults if mapped else ())]
    if as_json:
        print_json(_contract(proof, mapped, faults, unclaimed))
    else:
        _show(macro.module, proof, mapped, unclaimed)
    for fault in faults[:SHOWN]:
        stderr.print(f"FAILED {fault}")
    if faults:
        raise CheckFailedError(f"{len(faults)} faults in the adders of {macro.module}")


def _contract(
    proof: AdderProof,
    mapped: MappedProof | None,
    faults: Sequence[Fault],
    unclaimed: Sequence[str],
) -> dict[str, Any]:
    """The JSON object; ``mapped`` is null without a library."""
    cells = {"library": mapped.library, "adders": mapped.adders} if mapped else None
    values = (
        *(not faults, proof.adders, list(proof.leaves), proof.whole),
        *([str(fault) for fault in faults], proof.leaves, [asdict(fault) for fault in faults]),
        *(cells, list(unclaimed)),
    )
    return dict(zip(CONTRACT, values, strict=True))


def _show(
    name: str, proof: AdderProof, mapped: MappedProof | None, unclaimed: Sequence[str]
) -> None:
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
    rows += _mapped_rows(name, proof, mapped) if mapped else []
    rows += [(block, "", "not claimed", "simulated: + and registers") for block in unclaimed]
    show_table(name, rows, ("adder", "cells", "proven", "whole, by SAT"))


def _mapped_rows(
    name: str, proof: AdderProof, mapped: MappedProof
) -> list[tuple[str, str, str, str]]:
    """A row for each module on the library."""
    faulty = {fault.module.partition(" ")[0] for fault in mapped.faults}
    return [
        (
            f"{adder.removeprefix(f'{name}_')} in {mapped.library}",
            str(mapped.adders.get(adder, "")),
            "NO" if adder in faulty else "yes" if adder in mapped.adders else "no: mapped freely",
            "by its cells" if adder in mapped.adders else "",
        )
        for adder in proof.adders
    ]
