"""The macro's top: serialisers, write ports, columns, correction and sequencer."""

from collections.abc import Callable

from cimforge.hdl.cells.array_style import ARRAY_STYLES
from cimforge.hdl.cells.multiply_style import MULTIPLY_STYLES
from cimforge.hdl.cells.sram import stored_code
from cimforge.hdl.macro.binary_serialiser import BinarySerialiser
from cimforge.hdl.macro.column import build_column
from cimforge.hdl.macro.input_register import build_input_register
from cimforge.hdl.macro.late_planes import build_late_planes
from cimforge.hdl.macro.macro_top import MacroTop
from cimforge.hdl.macro.plane_register import build_plane_register
from cimforge.hdl.macro.sequencer import Sequencer
from cimforge.hdl.macro.serialiser import Serialiser
from cimforge.hdl.macro.table_top import TableTop
from cimforge.hdl.netlist.drivers import SPREAD, DriverTree, root_pins, spread
from cimforge.hdl.netlist.module import Module, distinct_modules
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.ranges import unsigned_width

__all__ = ["build_macro", "macro_modules"]

# The order in which a file holds them; modules of other styles come first.
KINDS = (
    *("store", "sum_store", "write_gate", "memory_row", "multiplier", "word"),
    *("pair_codes", "pair_multiplier", "pair", "pair_adder", "pair_sum"),
    *("tree", "plane_sum", "digit_sum", "signed_digit_sum"),
    *("accumulate_sum", "result_sum", "accumulator"),
    *("row_lines", "top_sum", "lower_sum", "input_sum"),
    *("ram_block", *(f"table{size}" for size in range(1, 10)), "addresses", "join", "renewal"),
    "column",
    *(f"fused{slices}_sum" for slices in range(2, 17)),
    *("fusion", "mode_select"),
    *("input_register", "late_planes", "serialiser", "pair_selector", "plane_register"),
    *("plane_mark", "plane_marks", "sequencer", ""),
)


def macro_modules(config: MacroConfig) -> list[Module]:
    """Every distinct module of the macro once, the top last."""
    places = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(distinct_modules(build_macro(config)), key=lambda m: places.get(m.kind, -1))


def build_macro(config: MacroConfig) -> Structure:
    """The macro: y[c] = sum over r of x[r] * w[r][c]; its ports are those of macro_ports.

    Latency in cycles: config.latency; flow control: Sequencer's.
    """
    return (TableTop if config.tables else _StoreTop)(config).build()


class _StoreTop(MacroTop):
    """With weights in stores: a word for each weight and bank, and drivers where a net has many
    loads."""

    def __init__(self, config: MacroConfig):
        super().__init__(config, Sequencer(config))
        self._column = build_column(config.slice)

    def _inner_nets(self) -> dict[str, int]:
        config = self._config
        memory = config.storage_traits.memory
        return {
            "next_n": config.rows * config.row_lines,
            "planes_n": config.rows * config.row_lines,
            "gate": 0 if memory else config.rows * config.write_gates,
            "late_n": config.rows * config.row_lines if memory else 0,
            "stored": config.rows * config.cols * config.weight_bits if memory else 0,
            **super()._inner_nets(),
            "sum_gate": config.pairs * config.banks,
            "alone": config.rows * config.bits_per_cycle if config.pairs else 0,
            "both_n": config.pairs * config.bits_per_cycle,
        }

    def _place_array(self) -> None:
        self._place_rows()
        if self._config.skips:
            self._place_plane_marks()
        self._place_correction()
        code = self._build_code()
        if self._config.storage_traits.memory:
            self._place_memory(code)
        self._place_columns(code)

    def _spread(self, leaves: int, pins: dict[str, int], role: str) -> dict[str, DriverTree]:
        """Driver trees of those nets that exist, by name; ``pins`` are a user's on each."""
        return {
            name: spread(self._out, self._nets[name], leaves, count, role)
            for name, count in pins.items()
            if name in self._nets
        }

    def _place_rows(self) -> None:
        """Each row's write port and serialiser, a write port for the sum of each pair, and the
        plane register."""
        config, nets = self._config, self._nets
        k, banks, bits = config.bits_per_cycle, config.banks, config.input_bits
        own = MULTIPLY_STYLES[config.multiply].serialiser
        serialiser = (own or (BinarySerialiser if config.binary else Serialiser))(config)
        lines_a_row, written = config.row_lines, config.write_gates
        place_write_port = None if config.storage_traits.memory else self._write_ports()
        loads = {"first": k, "following": k, "fill": 1, "sign_plane": 1}
        taken = {name: count for name, count in loads.items() if name in serialiser.ports}
        lines = self._spread(config.rows, taken, "input")
        left = config.held_bits
        elements = self._place_input_register() if left else nets["x_data"]
        for row in range(config.rows):
            if place_write_port:
                gate = nets["gate"].bits(row * written, written)
                place_write_port(row, f"write{row}", nets["write_row"].bits(row), gate)
            self._out.place(
                serialiser,
                f"serialiser{row}",
                x=nets["x_data"].bits(row * bits, bits),
                **({"element": elements.bits(row * left, left)} if left else {}),
                **{name: line(row) for name, line in lines.items()},
                read_row=nets["read_row"].bits(row),
                **({"active": nets["active"].bits(row)} if config.binary else {}),
                planes_n=nets["next_n"].bits(row * lines_a_row, lines_a_row),
            )
        register = build_plane_register(config)
        self._out.place(register, "plane_register", **{name: nets[name] for name in register.ports})
        for pair in range(config.pairs):
            gate, line = nets["sum_gate"].bits(pair * banks, banks), nets["write_sum"].bits(pair)
            assert place_write_port  # pairs are in stores
            place_write_port(config.rows + pair, f"write_sum{pair}", line, gate)

    def _write_ports(self) -> Callable[[int, str, Net, Net], None]:
        """Places the write port of a row or sum: its number, name, line and gates."""
        config, nets = self._config, self._nets
        write_port = ARRAY_STYLES[config.storage].write_port(config)
        control = {name: config.banks for name, _ in config.storage_traits.control_ports}
        leaves = config.rows + config.pairs
        write = self._spread(leaves, {"write_bank": 1, **control}, "storage")

        def place(number: int, name: str, line: Net, gate: Net) -> None:
            pins: dict[str, Net] = {"clk": nets["clk"]}
            pins |= {name: write[name](number) for name in control}
            pins |= {"row": line}
            pins |= {"bank": write["write_bank"](number)} if "write_bank" in write else {}
            self._out.place(write_port, name, **pins, gate=gate)

        return place

    def _place_memory(self, code: Bus) -> None:
        """Each row's RAMs, and the register that brings the planes as late as their words."""
        config, nets = self._config, self._nets
        late = build_late_planes(config)
        names = ("clk", "enable", "bank_exists", "planes_n", "late_n")
        self._out.place(late, "late_planes", **{name: nets[name] for name in names})
        row_module = ARRAY_STYLES[config.storage].write_port(config)
        width, rams = config.cols * config.weight_bits, config.memory.per_row
        nets["w_word"] = self._out.wire("w_word", width)
        self._out.assign(nets["w_word"], stored_code(config, code))
        loads = {"w_word": 1, "read_words": rams, "write_bank": rams, "read_bank": rams}
        lines = self._spread(config.rows, loads, "storage")
        for row in range(config.rows):
            pins = {name: line(row) for name, line in lines.items()}
            pins |= {"d": pins["w_word"], "read": pins["read_words"], "clk": nets["clk"]}
            q = nets["stored"].bits(row * width, width)
            self._out.place(row_module, f"words{row}", row=nets["write_row"].bits(row), **pins, q=q)

    def _place_input_register(self) -> Bus:
        """The register that holds the vector without its top planes; returns its elements."""
        nets, bits, left = self._nets, self._config.input_bits, self._config.held_bits
        x = concat(nets["x_data"].bits(row * bits, left) for row in range(self._config.rows))
        elements = self._out.wire("elements", x.width)
        pins = {"clk": nets["clk"], "load": nets["load"], "x": x, "element": elements}
        self._out.place(build_input_register(self._config), "input_register", **pins)
        return elements

    def _place_correction(self) -> None:
        """What the planes alone decide, for all columns."""
        offered = {name: net for name, net in self._nets.items() if name != "planes_n"}
        names = ["clk", "enable", "planes_n", "plane_negate", "plane_ending", "ending", "sign"]
        names += ["negate", "plane_sign", "count", "correction"]
        pins = {**offered, "planes_n": self._plane_by_plane(self._nets["planes_n"])}
        if "plane_sign" in self._nets:
            rows, loads = self._config.rows, {"plane_sign": self._config.bits_per_cycle + 1}
            sign = self._spread(rows, loads, "accumulate")["plane_sign"]
            pins |= {"plane_sign": concat(sign(row) for row in range(rows))}
        correction = MULTIPLY_STYLES[self._config.multiply].correction(self._config)
        self._out.place(
            correction, "input_sum", **{n: pins[n] for n in names if n in correction.ports}
        )

    def _plane_by_plane(self, planes_n: Bus) -> Net:
        """The planes with all rows of a plane side by side, from all planes of a row side by
        side; of digits their lines."""
        k, rows = self._config.row_lines, self._config.rows
        if k == 1:
            return planes_n
        return concat(planes_n.bits(row * k + plane) for plane in range(k) for row in range(rows))

    def _place_columns(self, code: Bus) -> None:
        config, out, nets = self._config, self._out, self._nets
        if "exact" in self._column.ports:  # a read-back passes approximate trees unchanged
            nets["exact"] = out.wire("exact")
            out.assign(nets["exact"], nets["read"])
        slices, part = config.slices, config.slice
        columns = config.cols * slices
        lines: dict[str, DriverTree] = {}
        for name, (count, role) in self._column_pins().items():
            if name in ("enable", "plane_negate") and name not in self._column.ports:
                continue  # trees have no registers and planes come in late, or no sign plane
            lines |= self._spread(columns, {name: count}, role)
        corrections = self._spread_corrections()
        bits, y_bits, words = part.weight_bits, part.y_bits, config.cols * config.weight_bits
        sums = self._result_net()
        for col in range(columns):
            y = sums.bits(col * y_bits, y_bits)
            w_code = code.bits(col * bits, bits)
            pins: dict[str, Net] = {name: line(col) for name, line in lines.items()}
            pins["correction"] = corrections[col % slices](col // slices)
            if config.pairs:
                w_next = nets["w_code"].bits(col * bits, bits)
                pins |= {"w_next": w_next}
            if "late_n" in pins:
                places = range(col * bits, config.rows * words, words)
                stored = concat(nets["stored"].bits(place, bits) for place in places)
                pins |= {"planes_n": pins["late_n"], "stored": stored}
            name = f"col{col}" if slices == 1 else f"col{col // slices}_slice{col % slices}"
            out.place(self._column, name, clk=nets["clk"], w_code=w_code, **pins, y=y)
            self._assign_row(col, sums)
        if slices > 1:
            self._place_fusion(sums)

    def _column_planes(self) -> str:
        """The net whose planes the columns take."""
        if self._config.storage_traits.memory:
            return "late_n"
        return "alone" if self._config.pairs else "planes_n"

    def _column_pins(self) -> dict[str, tuple[int, str]]:
        """Pins of one column (or slice of one) on each net that all share, and what it serves."""
        config = self._config.slice
        width, k, words = config.weight_bits, config.bits_per_cycle, 2 if config.carry_save else 1
        return {
            "gate": (width, "storage"),
            "bank_select": (root_pins(config.rows, width), "multiply"),
            self._column_planes(): (unsigned_width(config.multiply_traits.most(width)), "input"),
            "both_n": (width + 1, "input"),
            "sum_gate": (width + 1, "storage"),
            "sum_capture": (width + 1, "storage"),
            "sum_fill": (width, "storage"),
            "enable": (k * SPREAD, "tree"),  # at most, at the root of each tree's own drivers
            "exact": (k * SPREAD, "tree"),
            "plane_negate": (SPREAD, "tree"),
            "finish": (SPREAD, "accumulate"),
            "accumulate": (words * config.y_bits, "accumulate"),
            "restart": (words * config.y_bits - k, "accumulate"),
            "negate": (config.y_bits, "accumulate"),
        }
