"""The macro's top: serialisers, write gates, columns, input sum and sequencer, and the list of
distinct modules."""

from hdl.block import Block
from hdl.cells.multiplier import Multiplier
from hdl.cells.styles import STYLES
from hdl.cells.word import build_word
from hdl.config import MacroConfig
from hdl.macro.accumulator import Accumulator, build_accumulate_sum
from hdl.macro.column import build_column, build_tree, tree_plan
from hdl.macro.input_sum import InputSum, build_popcount
from hdl.macro.ports import macro_ports
from hdl.macro.sequencer import Sequencer
from hdl.macro.serialiser import Serialiser
from hdl.structure import Bus, Structure, constant

__all__ = ["macro_modules"]


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
    top = _build_top(config, write_gate, serialiser, input_sum, column, sequencer)
    return [
        *(store, write_gate, multiplier, word, tree, popcount, adder),
        *(accumulator, input_sum, column, serialiser, sequencer, top),
    ]


def _build_top(
    config: MacroConfig,
    write_gate: Block | Structure,
    serialiser: Serialiser,
    input_sum: InputSum,
    column: Structure,
    sequencer: Sequencer,
) -> Structure:
    equation = "y[c] = sum over r of x[r] * w[r][c]"
    comment = f"Compute-in-memory macro: {equation}, {config.rows} rows, {config.cols} columns."
    out = Structure(config.name, comment)
    ports = {
        port.name: out.port(port.direction, port.name, port.width) for port in macro_ports(config)
    }
    nets = dict(ports)
    for name in sequencer.signature.members:
        if name not in nets:
            nets[name] = out.wire(name, len(getattr(sequencer, name)))
    out.instance(
        sequencer.module,
        "sequencer",
        clk="clk",
        rst="rst",
        **{n: nets[n] for n in sequencer.signature.members},
    )

    planes_n = out.wire("planes_n", config.rows * config.bits_per_cycle)
    gate = out.wire("gate", config.rows * config.banks)
    for row in range(config.rows):
        _place_row(out, config, row, nets, planes_n, gate, write_gate, serialiser)
    correction = out.wire("correction", config.correction_bits)
    pipeline = {"clk": "clk", "enable": nets["enable"]} if config.pipeline_stages else {}
    signs = {"negate": nets["negate"], "sign": nets["sign"]}
    out.instance(
        input_sum.module,
        "input_sum",
        **pipeline,
        planes_n=_plane_by_plane(config, planes_n),
        **signs,
        correction=correction,
    )

    w_code = _place_write_data(out, config, nets)
    select = {"bank_select": nets["bank_select"]} if config.banks > 1 else {}
    pipeline.pop("clk", None)
    control = {name: nets[name] for name in ("accumulate", "restart", "negate")}
    for col in range(config.cols):
        y = ports["y_data"].bits(col * config.y_bits, config.y_bits)
        shared = {**select, "planes_n": planes_n, **pipeline, **control, "correction": correction}
        code = w_code.bits(col * config.weight_bits, config.weight_bits)
        out.instance(column.module, f"col{col}", clk="clk", gate=gate, w_code=code, **shared, y=y)
        q = ports["q_data"].bits(col * config.weight_bits, config.weight_bits)
        out.assign(q, ports["y_data"].bits(col * config.y_bits, config.weight_bits))
    return out


def _plane_by_plane(config: MacroConfig, planes_n: Bus) -> str:
    """The planes with all rows of a plane side by side, from all planes of a row side by side."""
    k, rows = config.bits_per_cycle, config.rows
    if k == 1:
        return planes_n.name
    bits = (planes_n.bits(row * k + plane) for plane in range(k) for row in range(rows))
    return "{" + ", ".join(reversed(list(bits))) + "}"


def _place_row(out, config, row, nets, planes_n, gate, write_gate, serialiser) -> None:
    """One row's serialiser and write gates."""
    k, banks, bits = config.bits_per_cycle, config.banks, config.input_bits
    clock = {"clk": "clk"} if STYLES[config.storage].write_gate_clocked else {}
    line = nets["write_row"].bits(row)
    out.instance(
        write_gate.module,
        f"write{row}",
        **clock,
        row=line,
        bank=nets["write_bank"],
        gate=gate.bits(row * banks, banks),
    )
    pins = {
        name: nets[name]
        for name in ("plane", "fill", "sign_plane")
        if name in serialiser.signature.members
    }
    out.instance(
        serialiser.module,
        f"serialiser{row}",
        clk="clk",
        load=nets["load"],
        x=nets["x_data"].bits(row * bits, bits),
        **pins,
        read=nets["read"],
        read_row=nets["read_row"].bits(row),
        planes_n=planes_n.bits(row * k, k),
    )


def _place_write_data(out: Structure, config: MacroConfig, nets: dict[str, Bus]) -> Bus:
    """``w_code = w_data xor (w_signed << weight_bits-1)`` for each column, registered where storage
    takes it a cycle later."""
    width = config.cols * config.weight_bits
    top_bits = sum(
        1 << (col * config.weight_bits + config.weight_bits - 1) for col in range(config.cols)
    )
    code = f"w_data ^ ({{{width}{{w_signed}}}} & {constant(top_bits, width)})"
    if config.write_landing == 0:
        w_code = out.wire("w_code", width)
        out.assign(w_code, code)
        return w_code
    w_code = Bus("w_code_q", width)
    out.nets.append(f"reg [{width - 1}:0] w_code_q;" if width > 1 else "reg w_code_q;")
    out.line(f"always @(posedge clk) if (capture) w_code_q <= {code};")
    return w_code
