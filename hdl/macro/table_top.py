"""The top of a macro whose weights are in tables of sums, in an FPGA's RAM blocks."""

from cimforge.hdl.cells.input_sum import InputSum
from cimforge.hdl.cells.table import build_table
from cimforge.hdl.cells.table_input_sum import TableInputSum
from cimforge.hdl.macro.choose_sequencer import build_sequencer
from cimforge.hdl.macro.input_register import build_input_register
from cimforge.hdl.macro.join import Join
from cimforge.hdl.macro.macro_top import MacroTop
from cimforge.hdl.macro.table_accumulator import TableAccumulator
from cimforge.hdl.macro.table_addresses import address_places, build_addresses
from cimforge.hdl.macro.table_column import build_table_column
from cimforge.hdl.macro.table_serialiser import TableSerialiser
from cimforge.hdl.netlist.structure import Bus, Net, concat, expression
from cimforge.hdl.params.config import MacroConfig

__all__ = ["TableTop"]

TO_COLUMNS = (
    "clk",
    "enable",
    "accumulate",
    "restart",
    "negate",
    "renew",
    "clear",
    "join_negate",
    "plane_negate",
    "finish",
    "pass_ends",
    "pass_begins",
)


class TableTop(MacroTop):
    """Wires held vector, serialisers, addresses, tables and columns together, for each kind of
    tables."""

    def __init__(self, config: MacroConfig):
        super().__init__(config, build_sequencer(config))
        part, kept = config.slice, config.carry_save
        self._summing = None if kept else (Join(part), TableAccumulator(part))

    def _place_array(self) -> None:
        config = self._config
        elements = self._hold(config.rows * config.input_bits)
        lines = self._place_serialisers(elements)
        k, rows = config.bits_per_cycle, config.rows
        first = lines[0]
        plane_by_plane = concat(first.bits(r * k + j) for j in range(k) for r in range(rows))
        if config.skips:
            self._place_plane_marks()
        self._place_correction(expression(f"~{plane_by_plane}", rows * k))
        code = self._build_code()
        corrections = self._spread_corrections()
        sums = self._result_net()
        low = 0
        for number, part in enumerate(config.parts):
            self._place_part(number, part, low, lines[number], code, corrections, sums)
            low += part.cols
        for col in range(config.cols * config.slices):
            self._assign_row(col, sums)
        if config.slices > 1:
            self._place_fusion(sums)

    def _place_correction(self, planes_n: Net) -> None:
        """What the planes alone decide, where it joins the columns' totals."""
        nets = self._nets
        offered: dict[str, Net] = {**nets, "planes_n": planes_n}
        offered |= {"negate": nets["join_negate"]} if "join_negate" in nets else {}
        kind = InputSum if self._config.carry_save else TableInputSum
        self._out.place(kind(self._config), "input_sum", **offered)

    def _hold(self, width: int) -> Bus:
        """The vector under way."""
        nets = self._nets
        elements = self._out.wire("elements", width)
        pins = {"clk": nets["clk"], "load": nets["load"], "x": nets["x_data"], "element": elements}
        self._out.place(build_input_register(self._config), "input_register", **pins)
        return elements

    def _place_serialisers(self, elements: Bus) -> list[Bus]:
        """One a row; returns the planes of each kind of tables, row r's at r k."""
        config, out, nets = self._config, self._out, self._nets
        k, bits, parts = config.bits_per_cycle, config.input_bits, config.parts
        serialiser = TableSerialiser(config)
        shared = {n: nets[n] for n in ("now", "fill", "sign_plane") if n in nets}
        planes = out.wire("planes", config.rows * k * len(parts))
        for row in range(config.rows):
            reads = [
                expression(
                    f"({nets[f'read_group{n}'].bits(row // part.group)} & "
                    f"{nets[f'read_rows{n}'].bits(row % part.group)})",
                    1,
                )
                for n, part in enumerate(parts)
            ]
            made = planes.bits(row * k * len(parts), k * len(parts))
            element = elements.bits(row * bits, bits)
            out.place(
                serialiser,
                f"serialiser{row}",
                **shared,
                element=element,
                read=concat(reads),
                planes=made,
            )
        if len(parts) == 1:
            return [planes]
        divided = []
        for n in range(len(parts)):
            own = out.wire(f"planes{n}", config.rows * k)
            out.assign(
                own,
                concat(planes.bits((row * len(parts) + n) * k, k) for row in range(config.rows)),
            )
            divided.append(own)
        return divided

    def _place_part(
        self,
        number: int,
        part: MacroConfig,
        low: int,
        lines: Bus,
        code: Bus,
        corrections: list,
        sums: Bus,
    ) -> None:
        """The addresses, tables and columns of one kind, its first column being ``low``."""
        config, out, nets = self._config, self._out, self._nets
        addresses = build_addresses(part)
        address = out.wire(f"address{number}", addresses.ports["address"].width)
        out.place(addresses, f"addresses{number}", **{**nets, "planes": lines, "address": address})
        columns = part.cols * part.slices
        widths, narrow = part.slice.operand_widths, part.slice
        entries = [
            [
                out.wire(f"entries{number}_{plane}_{group}", columns * width)
                for group, width in enumerate(widths)
            ]
            for plane in range(part.bits_per_cycle)
        ]
        entry = out.wire(f"entry{number}", columns * widths[0])
        self._place_tables(number, part, address, entries, entry)
        column = build_table_column(narrow, config, self._summing)
        bits, y_bits = narrow.weight_bits, narrow.y_bits
        shared = {name: nets[name] for name in TO_COLUMNS if name in nets}
        for col in range(columns):
            place = low * part.slices + col
            mine = concat(
                bus.bits(col * width, width)
                for plane in entries
                for bus, width in zip(plane, widths, strict=True)
            )
            slices = config.slices
            name = f"col{place}" if slices == 1 else f"col{place // slices}_slice{place % slices}"
            out.place(
                column,
                name,
                **shared,
                entries=mine,
                w_code=code.bits(place * bits, bits),
                correction=corrections[place % slices](place // slices),
                entry=entry.bits(col * widths[0], widths[0]),
                y=sums.bits(place * y_bits, y_bits),
            )

    def _place_tables(
        self, number: int, part: MacroConfig, address: Bus, entries: list[list[Bus]], entry: Bus
    ) -> None:
        """A table for each group and plane."""
        out, nets, widths = self._out, self._nets, part.slice.operand_widths
        columns = part.cols * part.slices
        tables = {
            size: build_table(part, size, width)
            for size, width in zip(part.group_sizes, widths, strict=True)
        }
        bank = nets.get("write_bank" if part.ram_block.banks else "write_lines")
        for plane, places in enumerate(address_places(part)):
            for group, (at, bits) in enumerate(places):
                size, width = part.group_sizes[group], widths[group]
                d: Net = entry
                if width < widths[0]:
                    d = concat(entry.bits(col * widths[0], width) for col in range(columns))
                pins: dict[str, Net] = {"write_bank": bank} if bank is not None else {}
                rows = nets[f"write_rows{number}"]
                out.place(
                    tables[size],
                    f"table{number}_{plane}_{group}",
                    **pins,
                    clk=nets["clk"],
                    enable=nets["enable"],
                    address=address.bits(at, bits),
                    write=nets[f"write_group{number}"].bits(group),
                    write_rows=rows.bits(0, size),
                    d=d,
                    entry=entries[plane][group],
                )
