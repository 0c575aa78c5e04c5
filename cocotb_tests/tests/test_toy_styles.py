"""The seams: a storage style, a multiply style and a block of this file's own make a macro."""

from dataclasses import replace

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.stream import Signature

from cimforge.cocotb_tests.draw import quickest_simulator
from cimforge.cocotb_tests.regression import run_regression
from cimforge.flow.macro_files import macro_extras
from cimforge.flow.simulate.simulator import Design
from cimforge.flow.synth.synth_report import synth_macro
from cimforge.golden.cycles import first_result
from cimforge.hdl.cells.array_style import ARRAY_STYLES, ArrayStyle, ColumnNets
from cimforge.hdl.cells.flop import FlopGate, FlopStore
from cimforge.hdl.cells.input_sum import InputSum
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES, MultiplyStyle
from cimforge.hdl.cells.word import WordArray
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.netlist.block import Block, In, Out
from cimforge.hdl.netlist.structure import Structure
from cimforge.hdl.netlist.verilog import modules_to_verilog
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.errors import ConfigError
from cimforge.hdl.params.multiply import MULTIPLY, MultiplyTraits
from cimforge.hdl.params.storage import STORAGE, StorageTraits
from cimforge.hdl.tests.tools import icarus, needs_icarus

LEAD = 1


class Late(Block):
    """Operands of one tree, a cycle late: latency 1 enabled cycle."""

    role, latency = "multiply", 1

    def __init__(self, config: MacroConfig):
        width = sum(config.operand_widths)
        ports = {"enable": In(1), "early": In(width), "late": Out(width)}
        super().__init__(config.module, "late", ports)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.late.eq(self.early)
        return m


def place_late(config: MacroConfig, out: Structure, nets: ColumnNets) -> None:
    """Words of flip-flops whose products pass a register: an array with a lead of one cycle."""
    early = [out.wire(f"early_{tree}", bus.width) for tree, bus in enumerate(nets.operands)]
    WordArray(FlopStore).place(config, out, replace(nets, operands=early))
    late = Late(config)
    for tree, (source, target) in enumerate(zip(early, nets.operands, strict=True)):
        pins = {"clk": nets.clk, "enable": nets.enable, "early": source, "late": target}
        out.place(late, f"late{tree}", **pins)


class AndMultiplier(Block):
    """Products of one row in one column by AND gates, banks chosen by AND-OR; combinational."""

    role = "multiply"

    def __init__(self, config: MacroConfig):
        self._config = config
        banks, width = config.banks, config.weight_bits
        ports = {
            "stored": In(banks * width),
            "bank_select": In(banks if banks > 1 else 0),
            "planes_n": In(config.bits_per_cycle),
            "products": Out(config.bits_per_cycle * width),
        }
        super().__init__(config.module, "and_multiplier", ports)

    def elaborate(self, platform):
        m = Module()
        width, code = self._config.weight_bits, Signal(self._config.weight_bits)
        m.d.comb += code.eq(self.stored)
        for bank in range(self._config.banks if self._config.banks > 1 else 0):
            with m.If(self.bank_select[bank]):
                m.d.comb += code.eq(self.stored.word_select(bank, width))
        if self._config.banks > 1:
            with m.If(self.bank_select == 0):
                m.d.comb += code.eq(0)
        m.d.comb += self.products.eq(Cat(code & (~n).replicate(width) for n in self.planes_n))
        return m


class Queue(Block):
    """Five bytes of queue, by a FIFO of the library: latency 1 cycle at least."""

    role, latency, has_reset = "input", 1, True

    def __init__(self):
        super().__init__("toy", "queue", {"x": In(Signature(8)), "y": Out(Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=8, depth=5)
        m.d.comb += [
            *(fifo.w_data.eq(self.x.payload), fifo.w_en.eq(self.x.valid)),
            *(self.x.ready.eq(fifo.w_rdy), self.y.payload.eq(fifo.r_data)),
            *(self.y.valid.eq(fifo.r_rdy), fifo.r_en.eq(self.y.ready)),
        ]
        return m


def register_toys() -> None:
    """Make both toy styles known."""
    STORAGE.register("toy_late", StorageTraits("flip-flops and a register", lead=LEAD))
    ARRAY_STYLES.register("toy_late", ArrayStyle(FlopGate, place_late))
    MULTIPLY.register("toy_and", MultiplyTraits("AND gates"))
    toy = MultiplyStyle(AndMultiplier, InputSum, inverted_code=lambda config: False)
    MULTIPLY_STYLES.register("toy_and", toy)


@pytest.fixture
def toys():
    """Both toy styles, registered for one test."""
    register_toys()
    yield
    for registry, name in (
        *((STORAGE, "toy_late"), (ARRAY_STYLES, "toy_late")),
        *((MULTIPLY, "toy_and"), (MULTIPLY_STYLES, "toy_and")),
    ):
        registry.remove(name)


def toy_config(**parameters) -> MacroConfig:
    """A small macro of both styles."""
    shape = {
        "rows": 5,
        "cols": 2,
        "weight_bits": 3,
        "input_bits": 4,
        "bits_per_cycle": 2,
        "banks": 2,
    }
    return MacroConfig(**{**shape, "storage": "toy_late", "multiply": "toy_and", **parameters})


@pytest.mark.parametrize("stages", [0, 1])
def test_a_macro_of_toy_styles_passes_the_whole_regression(toys, stages, request):
    """Generated and simulated by what knows only the styles' names; its latency has the lead."""
    config = toy_config(tree_stages=stages)
    assert config.latency() == first_result(config) == 2 + LEAD + stages + 1
    folder = request.config.rootpath / "build" / "tests" / "toys" / config.module
    emit_macro(config, folder, macro_extras(config))
    report = run_regression(
        Design.emitted(config, folder),
        folder / "verify",
        simulator=quickest_simulator(config),
        jobs=2,
        options={"register": "cimforge.cocotb_tests.tests.test_toy_styles:register_toys"},
    )
    assert report.failures == []
    assert report.passed
    assert report.holes == []


def test_a_macro_of_toy_styles_is_measured(toys, tmp_path):
    config = toy_config()
    emit_macro(config, tmp_path)
    report = synth_macro(config, tmp_path, "generic")
    plain = synth_macro(
        made := toy_config(storage="flop", multiply="plain"),
        emit_macro(made, tmp_path / "plain") and tmp_path / "plain",
        "generic",
    )
    trees = config.cols * config.trees
    # The lead is a register for each operand; for the input sum's planes, sign and end; the token.
    led = trees * sum(config.operand_widths) + (2 * 5 + 2) + 7
    assert report.ffs == plain.ffs + led
    assert report.breakdown["multiply"] > plain.breakdown["multiply"]
    assert report.breakdown["tree"] == plain.breakdown["tree"]
    assert sum(report.breakdown.values()) == report.total


def test_toy_styles_are_legal_only_while_registered(toys):
    schema = MacroConfig.model_json_schema()["properties"]
    assert "toy_late" in schema["storage"]["enum"]
    with pytest.raises(ValueError, match="storage 'toy_late' is registered already"):
        STORAGE.register("toy_late", StorageTraits("again"))


def test_unregistered_styles_are_refused():
    told = f"storage must be one of {', '.join(STORAGE)}, not 'toy_late'"
    with pytest.raises(ConfigError, match=told):
        toy_config()
    assert "toy_late" not in STORAGE


@needs_icarus
def test_a_block_may_hold_any_amaranth_submodule(tmp_path):
    """A library FIFO inside a block: one module, which works in a simulator."""
    text = modules_to_verilog([Queue()])
    assert text.count("\nmodule ") + text.startswith("module ") == 1
    bench = """
module tb;
  reg clk = 0, rst = 1;
  reg [7:0] n = 0, got = 0, cycle = 0;
  wire x_ready, y_valid;
  wire [7:0] y;
  always #5 clk = ~clk;
  toy_queue dut (.clk(clk), .rst(rst), .x_payload(n), .x_valid(1'b1), .x_ready(x_ready),
    .y_payload(y), .y_valid(y_valid), .y_ready(cycle[1]));
  always @(posedge clk) if (!rst) begin
    n <= n + x_ready;
    cycle <= cycle + 1;
    if (y_valid && cycle[1]) begin
      if (y !== got) $display("FAIL %d %d", y, got);
      got <= got + 1;
    end
  end
  initial begin #12 rst = 0; #2000 $display("got %0d", got > 40); $finish; end
endmodule
"""
    (tmp_path / "queue.v").write_text(text)
    (tmp_path / "tb.v").write_text(bench)
    assert icarus(tmp_path, "queue.v", "tb.v").strip() == "got 1"
