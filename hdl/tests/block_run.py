"""One module alone in Icarus, cycle by cycle: for blocks with leaf cells, which the Python
simulator leaves out."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from cimforge.hdl.netlist.module import Module, behavioural_models, distinct_modules
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.tests.tools import icarus

__all__ = ["run_block"]

CELLS = "cim_cells.v"
BENCH = """
module bench;
  reg clk = 0;
  reg [{width}:0] given [0:{last}];
  reg [{width}:0] now;
  {wires}
  {name} dut ({pins});
  integer i;
  initial begin
    $readmemh("given.hex", given);
    for (i = 0; i <= {last}; i = i + 1) begin
      now = given[i];
      #1 $display("{format}"{shown});
      #1 clk = 1;
      #1 clk = 0;
    end
  end
endmodule
"""


def run_block(
    folder: Path, module: Module, cycles: Sequence[Mapping[str, int]]
) -> list[dict[str, int | None]]:
    """Each output in each cycle, before the rising edge of clk that ends it; None where a bit is
    unknown. An input that a cycle leaves out is 0."""
    inputs = {n: p.width for n, p in module.ports.items() if p.direction == "input" and n != "clk"}
    outputs = {n: p.width for n, p in module.ports.items() if p.direction == "output"}
    pins, low, words = [], 0, [0] * len(cycles)
    for name, width in inputs.items():
        pins.append(f".{name}(now[{low + width - 1}:{low}])")
        for number, cycle in enumerate(cycles):
            value = int(cycle.get(name, 0))
            assert 0 <= value < 1 << width, f"{name} = {value}"
            words[number] |= value << low
        low += width
    pins += [f".{name}({name})" for name in outputs]
    pins += [".clk(clk)"] if "clk" in module.ports else []
    text = BENCH.format(
        width=max(low, 1) - 1,
        last=len(cycles) - 1,
        wires=" ".join(f"wire [{width - 1}:0] {name};" for name, width in outputs.items()),
        name=module.name,
        pins=", ".join(pins),
        format=" ".join("%h" for _ in outputs),
        shown="".join(f", {name}" for name in outputs),
    )
    (folder / "bench.v").write_text(text)
    (folder / "given.hex").write_text("\n".join(f"{word:x}" for word in words))
    modules = distinct_modules(module)
    (folder / "block.v").write_text(modules_to_verilog(modules))
    (folder / CELLS).write_text(files("cimforge.hdl.cells").joinpath(CELLS).read_text())
    models = behavioural_models(modules)
    for name, model in models.items():
        (folder / name).write_text(model)
    lines = icarus(folder, "bench.v", "block.v", CELLS, *models).splitlines()
    assert len(lines) == len(cycles), lines[:3]
    return [
        {
            name: None if set(value) & set("xXzZ") else int(value, 16)
            for name, value in zip(outputs, line.split(), strict=True)
        }
        for line in lines
    ]
