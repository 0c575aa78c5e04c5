"""Verilog text of modules: Amaranth's RTLIL through Yosys into plain Verilog-2005."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from cimforge.hdl.netlist.module import Module
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["modules_to_verilog"]

# proc and pmuxtree leave only assigns and clocked always blocks, which every tool reads alike;
# initial values go because weights are undefined until written and control is reset; automatic
# names become n_1, n_2, … . What Amaranth made of a block's submodules is part of the block.
SCRIPT = (
    "proc -norom; flatten; pmuxtree; opt_clean -purge; rename -enumerate -pattern n_%; "
    "setattr -unset init w:*; write_verilog -noattr -norename"
)


def modules_to_verilog(modules: Sequence[Module]) -> str:
    """The modules' text in the given order, each headed by a comment; leaves have none.

    Those that are described in RTLIL go through one run of Yosys together, for its start costs more
    than its work.
    """
    blocks: list[Any] = [module for module in modules if hasattr(module, "rtlil")]
    texts = _blocks_to_verilog(blocks)
    written = (texts[m.name] if hasattr(m, "rtlil") else m.verilog() for m in modules)
    return "\n".join(text for text in written if text)


def _blocks_to_verilog(blocks: list[Any]) -> dict[str, str]:
    """Text of each block by module name."""
    if not blocks:
        return {}
    source = "\n".join(block.rtlil() for block in blocks)
    kept = " ".join(block.name for block in blocks)
    keep = f"setattr -mod -unset top *; setattr -mod -set keep_hierarchy 1 {kept}"
    printed = run_yosys(f"read_rtlil <<rtlil\n{source}\nrtlil\n{keep}\n{SCRIPT}\n")
    comments = {block.name: block.comment for block in blocks}
    texts = {}
    for text in re.findall(r"^module .*?^endmodule\n", printed, re.M | re.S):
        name = text.split()[1].partition("(")[0]
        if name not in comments:
            continue  # a submodule, which is flattened into its block by now
        text = re.sub(r"(  (?:in|out)put (.*;\n))  wire \2", r"\1", text)
        text = _without_escapes(text)
        texts[name] = "\n".join(f"// {line}" for line in wrap(comments[name], 112)) + "\n" + text
    return texts


def _without_escapes(text: str) -> str:
    """A module's text with its escaped identifiers renamed to plain ones it does not use yet."""
    names = dict.fromkeys(re.findall(r"\\(\S+) ", text))
    for name in names:
        plain = re.sub(r"\W", "_", name)
        while re.search(rf"\b{plain}\b", text):
            plain += "_"
        text = text.replace(f"\\{name} ", plain)
    return text
