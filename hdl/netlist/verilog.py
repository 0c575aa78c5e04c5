"""Verilog text of blocks: Amaranth's RTLIL through Yosys into plain Verilog-2005."""

import re
from textwrap import wrap

from amaranth.back import rtlil

from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.netlist.yosys import run_yosys

__all__ = ["modules_to_verilog"]

# proc and pmuxtree leave only assigns and clocked always blocks, which every tool reads alike;
# initial values go because weights are undefined until written and control is reset; automatic
# names become n_1, n_2, … .
SCRIPT = (
    "proc -norom; pmuxtree; opt_clean -purge; rename -enumerate -pattern n_%; "
    "setattr -unset init w:*; write_verilog -noattr -norename"
)


def modules_to_verilog(modules: list[Block | Structure]) -> str:
    """The modules' text in the given order, each headed by a comment."""
    blocks = _blocks_to_verilog([module for module in modules if isinstance(module, Block)])
    return "\n".join(blocks[m.module] if isinstance(m, Block) else m.verilog() for m in modules)


def _blocks_to_verilog(blocks: list[Block]) -> dict[str, str]:
    """Text of each block by module name, from one run of Yosys (its start costs more than its
    work)."""
    source = "\n".join(
        rtlil.convert(block, name=block.module, emit_src=False, missing_domain=block.clock_domain)
        for block in blocks
    )
    printed = run_yosys(f"read_rtlil <<rtlil\n{source}\nrtlil\n{SCRIPT}\n")
    comments = {block.module: block.comment for block in blocks}
    texts = {}
    for text in re.findall(r"^module .*?^endmodule\n", printed, re.M | re.S):
        name = text.split()[1].partition("(")[0]
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
