"""The macro's top: serialisers, write gates, columns, input sum and sequencer, and the list of
distinct modules."""

from collections.abc import Callable
from itertools import groupby

from cimforge.hdl.cells.multiplier import Multiplier
from cimforge.hdl.cells.styles import STYLES
from cimforge.hdl.cells.word import build_word
from cimforge.hdl.macro.accumulator import Accumulator, build_accumulate_sum
from cimforge.hdl.macro.column import build_column, build_tree, tree_plan
from cimforge.hdl.macro.input_sum import InputSum, build_popcount
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.sequencer import Sequencer
from cimforge.hdl.macro.serialiser import Serialiser
from cimforge.hdl.netlist.block import Block
from cimforge.hdl.netlist.drivers import SPREAD, root_pins, spread
from cimforge.hdl.netlist.structure import Bus, Structure, constant
from cimforge.hdl.params.config import MacroConfig

__all__ = ["macro_modules"]

Nets = dict[str, Bus]
Lines = dict[str, Callable[[int], Bus]]


def macro_modules(config: MacroConfig) -> list[Block | Structure]:
    """Every distinct module of the macro once, the top last; each instantiates only modules before
    it."""
    style = STYLES[config.storage]
    plan = tree_plan(config)
    arrival = [plan.ready_level(bit) if not config.pipeline_stages else 0 for bit in plan.result]
    store, write_gate, multiplier = (
        style.store(config),
        style.write_gate(config),
        Multiplier(config),
    )
    word = build_word(config, store, multiplier)
    tree, popcount = build_tree(config), build_popcount(config)
    adder = build_accumulate_sum(config, arrival)
    accumulator, input_sum = Accumulator(config, adder), InputSum(config, popcount)
    column = build_column(config, word, tree, accumulator)
    serialiser, sequencer = Serialiser(config), Sequencer(config)
    top = _Top(config, write_gate, serialiser, input_sum, column, sequencer).build()
    return [
        *(store, write_gate, multiplier, word, tree, popcount, adder),
        *(accumulator, input_sum, column, serialiser, sequencer, top),
    ]


class _Top:
    """Wires the stations of a vector's journey together, with drivers where a net has many
    loads."""

    def __init__(
        self,
        config: MacroConfig,
        write_gate: Block | Structure,
        serialiser: Serialiser,
        input_sum: InputSum,
        column: Structure,
        sequencer: Sequencer,
    ):
        self._config = config
        self._write_gate, self._serialiser = write_gate, serialiser
        self._input_sum, self._column, self._sequencer = input_sum, column, sequencer
        equation = "y[c] = sum over r of x[r] * w[r][c]"
        comment = f"Compute-in-memory macro: {equation}, {config.rows} rows, {config.cols} columns."
        self._out = Structure(config.module, comment)

    def build(self) -> Structure:
        config, out = self._config, self._out
        nets = {
            port.name: out.port(port.direction, port.name, port.width)
            for port in macro_ports(config)
        }
        signature = self._sequencer.signature.members
        for name in signature:
            if name not in nets:
                nets[name] = out.wire(name, len(getattr(self._sequencer, name)))
        for name, width in (
            ("planes_n", config.rows * config.bits_per_cycle),
            ("gate", config.rows * config.banks),
            ("correction", config.correction_bits),
        ):
            nets[name] = out.wire(name, width)
        pins = {name: nets[name] for name in signature}
        out.instance(self._sequencer.module, "sequencer", clk="clk", rst="rst", **pins)
        self._place_rows(nets)
        self._place_input_sum(nets)
        self._place_columns(nets, self._place_write_data(nets))
        return out

    def _spread(self, nets: Nets, leaves: int, loads: dict[str, int]) -> Lines:
        """Driver trees of those nets that exist, by name; ``loads`` are a user's pins on each."""
        return {
            name: spread(self._out, nets[name], leaves, pins)
            for name, pins in loads.items()
            if name in nets
        }

    def _place_rows(self, nets: Nets) -> None:
        """Each row's write gates and serialiser."""
        config = self._config
        k, banks, bits = config.bits_per_cycle, config.banks, config.input_bits
        write = self._spread(nets, config.rows, {"write_bank": 1, "test_en": banks})
        loads = {"load": bits, "plane": bits, "fill": 1, "sign_plane": 1, "read": k}
        control = self._spread(nets, config.rows, loads)
        for row in range(config.rows):
            pins = {"row": nets["write_row"].bits(row), "bank": write["write_bank"](row)}
            if config.storage_traits.control_ports:
                pins = {"clk": "clk", "test_en": write["test_en"](row), **pins}
            gate = nets["gate"].bits(row * banks, banks)
            self._out.instance(self._write_gate.module, f"write{row}", **pins, gate=gate)
            self._out.instance(
                self._serialiser.module,
                f"serialiser{row}",
                clk="clk",
                x=nets["x_data"].bits(row * bits, bits),
                **{name: line(row) for name, line in control.items()},
                read_row=nets["read_row"].bits(row),
                planes_n=nets["planes_n"].bits(row * k, k),
            )

    def _place_input_sum(self, nets: Nets) -> None:
        pipeline = {"clk": "clk", "enable": nets["enable"]} if "enable" in nets else {}
        self._out.instance(
            self._input_sum.module,
            "input_sum",
            **pipeline,
            planes_n=self._plane_by_plane(nets["planes_n"]),
            negate=nets["negate"],
            sign=nets["sign"],
            correction=nets["correction"],
        )

    def _plane_by_plane(self, planes_n: Bus) -> str:
        """The planes with all rows of a plane side by side, from all planes of a row side by
        side."""
        k, rows = self._config.bits_per_cycle, self._config.rows
        if k == 1:
            return planes_n.name
        bits = (planes_n.bits(row * k + plane) for plane in range(k) for row in range(rows))
        return "{" + ", ".join(reversed(list(bits))) + "}"

    def _place_write_data(self, nets: Nets) -> Bus:
        """``w_code = w_data xor (w_signed << weight_bits-1)`` for each column, registered where
        storage takes it a cycle later."""
        config, out = self._config, self._out
        bits, width = config.weight_bits, config.cols * config.weight_bits
        top_bits = sum(1 << (col * bits + bits - 1) for col in range(config.cols))
        w_code = out.wire("w_code", width)
        out.assign(w_code, f"w_data ^ ({{{width}{{w_signed}}}} & {constant(top_bits, width)})")
        if config.write_landing == 0:
            return w_code
        w_code_q = out.register("w_code_q", width)
        capture = spread(out, nets["capture"], config.cols, bits)
        for driver, columns in groupby(range(config.cols), key=capture):
            first, *others = columns
            low, count = first * bits, (1 + len(others)) * bits
            kept, taken = w_code_q.bits(low, count), w_code.bits(low, count)
            out.line(f"always @(posedge clk) if ({driver}) {kept} <= {taken};")
        return w_code_q

    def _place_columns(self, nets: Nets, w_code: Bus) -> None:
        config, out = self._config, self._out
        lines = self._spread(nets, config.cols, self._column_loads())
        weight_bits, y_bits = config.weight_bits, config.y_bits
        for col in range(config.cols):
            y = nets["y_data"].bits(col * y_bits, y_bits)
            code = w_code.bits(col * weight_bits, weight_bits)
            pins = {name: line(col) for name, line in lines.items()}
            out.instance(self._column.module, f"col{col}", clk="clk", w_code=code, **pins, y=y)
            q = nets["q_data"].bits(col * weight_bits, weight_bits)
            out.assign(q, nets["y_data"].bits(col * y_bits, weight_bits))

    def _column_loads(self) -> dict[str, int]:
        """Pins of one column on each net that all columns share."""
        config = self._config
        width, k = config.weight_bits, config.bits_per_cycle
        select = root_pins(config.rows, width) if config.banks > 1 else 0
        extended = config.y_bits - (width - 1)
        enabled = k * SPREAD  # at most, at the root of each tree's own drivers
        return {
            "gate": width,
            **({"bank_select": select} if select else {}),
            "planes_n": width,
            **({"enable": enabled} if config.pipeline_stages else {}),
            "accumulate": config.y_bits,
            "restart": config.y_bits - k,
            "negate": config.y_bits,
            "correction": extended - config.correction_bits + 1,  # of its sign bit
        }
