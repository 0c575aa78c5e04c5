"""MacroConfig: the single source of every parameter and every width derived from it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import ceil
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from cimforge.hdl.params.errors import ConfigError, explain, unknown_key
from cimforge.hdl.params.features import FEATURES
from cimforge.hdl.params.interface import INTERFACE_VERSION
from cimforge.hdl.params.legality import check_parameters
from cimforge.hdl.params.memory import MemoryShape, shorten
from cimforge.hdl.params.mode import Mode, result_bits
from cimforge.hdl.params.multiply import MULTIPLY, MultiplyTraits
from cimforge.hdl.params.ram_blocks import RamBlock
from cimforge.hdl.params.ranges import signed_width, unsigned_width
from cimforge.hdl.params.registry import Registry
from cimforge.hdl.params.storage import STORAGE, StorageTraits
from cimforge.hdl.params.table_rules import TABLE_KEYS, settle_tables
from cimforge.hdl.params.trees import (
    ACCUMULATE,
    FINAL_ADDERS,
    RANK_RULES,
    TREES,
    AccumulateTraits,
    TreeTraits,
)

__all__ = ["MacroConfig"]

# What the default name of a macro tells.
COMMON = (
    *("rows", "cols", "weight_bits", "input_bits", "bits_per_cycle", "banks", "storage", "tree"),
)

Size = Annotated[int, Field(ge=1, le=1024)]
Precision = Annotated[int, Field(ge=1, le=16)]


def _one_of(registry: Registry) -> Callable[[dict[str, Any]], None]:
    """Tells the JSON schema of a parameter which styles there are."""
    return lambda schema: schema.update(enum=list(registry))


class MacroConfig(BaseModel):
    """Parameters of one macro, checked on construction; an illegal one raises ConfigError with the
    nearest legal value.

    The macro computes ``y[c] = sum over r of x[r] * w[r][c]`` for ``rows`` inputs of up to
    ``input_bits`` and ``cols`` columns of ``weight_bits``, ``bits_per_cycle`` planes at a time,
    with ``banks`` sets of weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, title="cimforge macro")

    rows: Size = Field(64, description="inputs of the dot product, summed in one pass")
    cols: Size = Field(16, description="outputs at full weight width")
    weight_bits: Precision = Field(8, description="bits of a weight")
    input_bits: Precision = Field(
        8, description="most bits of an input; each pass chooses 1..input_bits"
    )
    bits_per_cycle: Precision = Field(
        1, description="bit planes per cycle, a divisor of input_bits"
    )
    slice_bits: Precision | None = Field(
        None,
        description="bits of a weight slice, a divisor of weight_bits: a bank's slices fuse into "
        "wider weights at run time; default: weight_bits",
    )
    banks: int = Field(1, ge=1, le=64, description="weight sets per compute unit")
    storage: str = Field("flop", description="weight cell", json_schema_extra=_one_of(STORAGE))
    group: int = Field(
        1, ge=1, le=9, description="rows whose sums are stored beside them and make one operand"
    )
    sram_words: int | None = Field(
        None, ge=1, le=65536, description="words of a RAM, at least banks; default: banks"
    )
    sram_bits: int | None = Field(
        None, ge=1, le=16384, description="bits of a RAM's word; default: those of a whole row"
    )
    sram_ports: Literal["1r1w", "1rw_reg"] | None = Field(
        None,
        description="ports of a RAM: 1r1w, or 1rw_reg with one port for both; default: 1r1w",
    )
    ram: Literal["ecp5", "ice40", "gowin"] | None = Field(
        None, description="whose RAM blocks hold tables of sums; default: ecp5"
    )
    ram_cols: int | None = Field(
        None, ge=0, le=1024, description="hybrid: columns in block RAM, the lowest; default: half"
    )
    multiply: str = Field(
        "plain",
        description="how planes and weights become operands",
        json_schema_extra=_one_of(MULTIPLY),
    )
    tree: str = Field("csa", description="adder tree topology", json_schema_extra=_one_of(TREES))
    tree_stages: int | Literal["auto"] = Field(
        0,
        description="pipeline register ranks inside the tree, where time by area is least; auto: "
        "one more as long as it lowers the longest stage's time by area by a twentieth",
    )
    final_adder: str = Field(
        "ripple",
        description="adder behind the columns of a tree and of an accumulator",
        json_schema_extra=_one_of(FINAL_ADDERS),
    )
    accumulate: str = Field(
        "binary",
        description="how an accumulator keeps its sum",
        json_schema_extra=_one_of(ACCUMULATE),
    )
    final_stages: int = Field(
        0, ge=0, le=4, description="register ranks in the adder behind a carry-save accumulator"
    )
    features: tuple[str, ...] = Field(
        (), strict=False, description=f"optional features, of {', '.join(FEATURES)}"
    )
    name: str = Field(
        "",
        description="of modules, files and header symbols; empty: made from the parameters",
    )

    def __init__(self, /, **parameters: Any):
        unknown = next((key for key in parameters if key not in type(self).model_fields), None)
        if unknown is not None:
            raise unknown_key(unknown, list(type(self).model_fields))
        whole = parameters.get("weight_bits", type(self).model_fields["weight_bits"].default)
        if type(parameters.get("slice_bits")) is int and parameters["slice_bits"] == whole:
            parameters["slice_bits"] = None  # the same macro, and so the same name and digest
        if parameters.get("storage") in list(STORAGE):
            settle_tables(parameters, type(self).model_fields["cols"].default)
            if STORAGE[parameters["storage"]].memory:
                shorten(parameters, {k: f.default for k, f in type(self).model_fields.items()})
        try:
            super().__init__(**parameters)
        except ValidationError as error:
            raise _settle(explain(error, type(self)), parameters) from None
        except ConfigError as error:
            raise _settle(error, parameters) from None

    @model_validator(mode="after")
    def _check(self) -> "MacroConfig":
        check_parameters(self)
        return self

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> "MacroConfig":
        """A checked copy with changed parameters; raises ConfigError as the constructor does."""
        return type(self)(
            **{**{key: getattr(self, key) for key in type(self).model_fields}, **(update or {})}
        )

    # styles

    @property
    def tables(self) -> bool:
        """Whether weights are in tables of sums, in an FPGA's RAM blocks."""
        return bool(self.storage_traits.parts)

    @property
    def ram_block(self) -> RamBlock:
        """The block that holds tables of one kind (not of hybrid, see parts)."""
        blocks = self.storage_traits.blocks
        assert blocks, "of one kind of tables"
        assert self.ram
        return blocks[self.ram]

    @property
    def parts(self) -> tuple["MacroConfig", ...]:
        """The columns in tables of one kind each, the lowest first: the macros of those columns
        alone, under other names where there are two."""
        return _parts_of(self)

    @property
    def storage_traits(self) -> StorageTraits:
        """What is known of the storage style."""
        return STORAGE[self.storage]

    @property
    def multiply_traits(self) -> MultiplyTraits:
        """What is known of the multiply style."""
        return MULTIPLY[self.multiply]

    @property
    def tree_traits(self) -> TreeTraits:
        """What is known of the adder tree."""
        return TREES[self.tree]

    @property
    def accumulate_traits(self) -> AccumulateTraits:
        """What is known of the way to accumulate."""
        return ACCUMULATE[self.accumulate]

    @property
    def carry_save(self) -> bool:
        """Whether sums are kept in two words, without a carry chain."""
        return self.accumulate_traits.carry_save

    @property
    def keeps_results(self) -> bool:
        """Whether results have registers beside those that sum, so that the array goes on while one
        stands."""
        return self.tables and not self.carry_save

    @property
    def binary(self) -> bool:
        """Whether inputs and weights are bits that stand for -1 and 1."""
        return self.multiply_traits.binary

    @property
    def digits(self) -> bool:
        """Whether planes make signed digits, which select the operands."""
        return self.multiply_traits.digit_bits > 1

    # widths

    @property
    def row_lines(self) -> int:
        """Select lines that a row has in a column: those of each tree."""
        return self.operand_sets * self.multiply_traits.lines

    @property
    def slice_width(self) -> int:
        """Bits of a weight slice."""
        return self.slice_bits or self.weight_bits

    @property
    def slices(self) -> int:
        """Slices of a weight of weight_bits, each with its own trees and accumulator."""
        return self.weight_bits // self.slice_width

    @property
    def slice(self) -> "MacroConfig":
        """What each slice is built as: the macro of as narrow weights, under this one's name."""
        return _slice_of(self) if self.slices > 1 else self

    @property
    def w_fuse_width(self) -> int:
        """Bits of the w_fuse port, the number of a mode; 0 (left out) where there is but one."""
        return unsigned_width(len(self.modes) - 1)

    @property
    def trees(self) -> int:
        """Trees of one slice of a column: one for each set of operands; one for all of them where
        their sum is left carry-save."""
        return 1 if self.carry_save else self.operand_sets

    @property
    def operand_sets(self) -> int:
        """Sets of a slice's operands: one for each plane, or digit, of a cycle."""
        return self.bits_per_cycle // self.multiply_traits.digit_bits

    @property
    def fill_bits(self) -> int:
        """Planes of a cycle that may lie above a vector's precision: all but the lowest, which an
        unsigned vector of digits may begin below, too."""
        return self.bits_per_cycle - (0 if self.digits else 1)

    @property
    def held_bits(self) -> int:
        """Bits of an element that the input register holds: those that any but the first group of
        a pass may need, so not the top group's; of digits, which begin one plane higher, all, as in
        front of tables, which take planes from it alone."""
        return self.input_bits - (0 if self.digits or self.tables else self.bits_per_cycle)

    @property
    def mark_bits(self) -> int:
        """Planes that may decide where a pass with zero_skip begins: those above group 0, with
        digits one above the highest, too."""
        return self.input_bits - self.bits_per_cycle + int(self.digits)

    @property
    def operand_widths(self) -> tuple[int, ...]:
        """Bits of each operand of one tree, rows in order; those of a group's rows as one."""
        most = self.multiply_traits.most(self.slice_width)
        return tuple(unsigned_width(size * most) for size in self.group_sizes)

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Rows of each group, in order: the last may be smaller."""
        return tuple(min(self.group, self.rows - low) for low in range(0, self.rows, self.group))

    def entry_widths(self, size: int) -> tuple[int, ...]:
        """Bits of the entries of a group of ``size`` rows: entry e - 1 is the sum of the codes of
        the rows whose bit is set in e = 1 .. 2^size - 1."""
        code = (1 << self.slice_width) - 1
        return tuple(unsigned_width(e.bit_count() * code) for e in range(1, 1 << size))

    @property
    def stored_bits(self) -> int:
        """Bits that a column stores in one bank."""
        return self.slices * sum(sum(self.entry_widths(size)) for size in self.group_sizes)

    def group_size(self, row: int) -> int:
        """Rows of the group that holds ``row``, itself among them."""
        return min(self.group, self.rows - row // self.group * self.group)

    @property
    def grouped(self) -> bool:
        """Whether rows share groups, so that writes renew sums and have a fast path (w_fill)."""
        return self.group > 1 or self.tables

    @property
    def pairs(self) -> int:
        """Groups of two rows: the last row of an odd number has no neighbour. None in tables."""
        return self.rows // 2 if self.group == 2 and not self.tables else 0

    @property
    def memory(self) -> MemoryShape:
        """The RAMs of styles with ``memory``."""
        row = self.cols * self.weight_bits
        words, bits = self.sram_words or self.banks, self.sram_bits or row
        shared = self.sram_ports == "1rw_reg"
        return MemoryShape(words, bits, shared, self.rows, row, self.banks)

    @property
    def models(self) -> tuple[str, ...]:
        """Modules with a behavioural model in a file of their own, MODULE.v beside the macro's."""
        if self.tables:
            return tuple(dict.fromkeys(part.ram_block.cell for part in self.parts))
        return (f"{self.module}_sram",) if self.storage_traits.memory else ()

    @property
    def shared_port(self) -> bool:
        """Whether a write may have to wait for a read of its row's RAM."""
        return self.storage_traits.memory and self.memory.shared_port

    @property
    def write_gates(self) -> int:
        """Lines from a row's write port to its stores in a column."""
        return self.banks * self.storage_traits.write_lines

    @property
    def selected_banks(self) -> int:
        """Banks among which a multiplier selects: one where RAMs deliver that in use."""
        return 1 if self.storage_traits.memory or self.tables else self.banks

    @property
    def tree_bits(self) -> int:
        """Bits of one tree's result, unsigned: rows times the largest operand of a row."""
        return unsigned_width(self.rows * self.multiply_traits.most(self.slice_width))

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The run-time modes, the one of full weights first."""
        if self.binary:
            return (Mode(1, self.cols, 1, signed_width(-self.rows, self.rows), binary=True),)
        slices = self.slices
        fusions = [f for f in range(slices, 0, -1) if slices % f == 0]
        widths = [f * self.weight_bits // slices for f in fusions]
        return tuple(
            Mode(f, self.cols * slices // f, w, result_bits(self.rows, self.input_bits, w))
            for f, w in zip(fusions, widths, strict=True)
        )

    @property
    def y_bits(self) -> int:
        """Bits of one result at full weight width, two's complement."""
        return self.modes[0].y_bits

    @property
    def correction_place(self) -> int:
        """The weight, as a power of two, at which columns add the shared correction."""
        return 0 if self.digits else self.modes[-1].correction_place

    @property
    def pass_excess(self) -> int:
        """What the corrections of a pass have too much, over 2^(k cycles)."""
        return self.rows << (self.slice_width if self.digits else self.correction_place)

    @property
    def correction_bits(self) -> int:
        """Bits of the shared correction: rows 2^k - (input sum of one cycle's planes), unsigned,
        where the sum may be as low as -rows 2^(k-1); none beyond y_bits, modulo which it is
        added to a slice's sums. With -1 and 1 the number of rows, negated; with digits rows
        2^(k+slice_width) at most.
        Of tables the input sum itself, negated, two's complement, unless sums are kept in two
        words."""
        if self.binary:
            return self.y_bits
        if self.tables and not self.carry_save:
            k = self.bits_per_cycle
            width = signed_width(-self.rows * ((1 << k) - 1), self.rows << (k - 1))
            return min(width, self.modes[-1].y_bits - self.correction_place)
        if self.digits:
            most = self.pass_excess << self.bits_per_cycle
            return min(unsigned_width(most), self.modes[-1].y_bits)
        most = self.rows * 3 * 2 ** (self.bits_per_cycle - 1)
        return min(unsigned_width(most), self.modes[-1].y_bits - self.correction_place)

    @property
    def x_bits_width(self) -> int:
        """Bits of the x_bits port: 0..input_bits."""
        return unsigned_width(self.input_bits)

    @property
    def x_rows_width(self) -> int:
        """Bits of the x_rows port, 0..rows; 0 (left out) but with inputs of -1 and 1."""
        return unsigned_width(self.rows) if self.binary else 0

    @property
    def row_bits(self) -> int:
        """Bits of a row number; 0 (port left out) for one row."""
        return unsigned_width(self.rows - 1)

    @property
    def bank_bits(self) -> int:
        """Bits of a bank number; 0 (port left out) for one bank."""
        return unsigned_width(self.banks - 1)

    # pipeline and timing

    @property
    def tree_levels(self) -> int:
        """Levels of the column tree's plan: the most pipeline ranks it can take."""
        if self.tables and (self,) != self.parts:
            return max(part.tree_levels for part in self.parts)
        widths, levels = self.operand_widths, TREES[self.tree].levels
        if self.carry_save:
            y_bits = self.modes[-1].y_bits
            return levels(widths, y_bits, self.final_adder, self.bits_per_cycle)
        return levels(widths, self.tree_bits, self.final_adder)

    @property
    def pipeline_stages(self) -> int:
        """Register ranks inside the trees: tree_stages, or for auto one more as long as it lowers
        time by area by a twentieth (RANK_RULES)."""
        if isinstance(self.tree_stages, str):
            if self.tables and (self,) != self.parts:
                return max(part.pipeline_stages for part in self.parts)
            return RANK_RULES[self.tree_stages](self.slice)
        return self.tree_stages

    @property
    def lead(self) -> int:
        """Registers between a plane and the operands it makes: of tables those of their blocks, in
        front of them and behind (RamBlock)."""
        if self.tables:
            return max(part.ram_block.lead for part in self.parts)
        return self.storage_traits.lead

    @property
    def join_ranks(self) -> int:
        """Registers in which a cycle's totals and correction become one sum, before an accumulator
        takes it: one for each level of its adders, where trees of tables have ranks; else 0."""
        if not self.tables or self.carry_save or not self.pipeline_stages:
            return 0
        return self.bits_per_cycle.bit_length()

    @property
    def sign_ranks(self) -> int:
        """Registers between the place where a bank's sign selects the correction and an
        accumulator: one more than join_ranks where the correction of tables has one of its own."""
        return self.join_ranks + (self.join_ranks > 0)

    @property
    def word_tree(self) -> bool:
        """Whether trees are made of word adders."""
        return self.tree_traits.words

    @property
    def ranks(self) -> int:
        """Registers between a plane and the accumulator: the array's lead, the trees' ranks, and
        those that join totals."""
        return self.lead + self.pipeline_stages + self.join_ranks

    @property
    def result_ranks(self) -> int:
        """Registers between a plane and its result, the accumulator left out: ranks, and those of
        the final adder."""
        return self.ranks + self.final_stages

    @property
    def sums_constants(self) -> bool:
        """Whether the input sum takes a pass's signs and end with the planes, as terms of its sum:
        with several planes, or with ranks, behind which nothing else may take long. Else a count of
        one plane, to which constants are added."""
        return self.bits_per_cycle > 1 or self.pipeline_stages > 0 or self.tables

    @property
    def max_planes(self) -> int:
        """Cycles of a pass at full precision, unsigned."""
        return self.cycles_per_pass()

    @property
    def restarts(self) -> bool:
        """Whether accumulators are told that a pass begins: not those that keep nothing from one
        cycle to the next."""
        return not (self.binary or (self.carry_save and self.max_planes == 1))

    @property
    def masks_missing(self) -> bool:
        """Whether planes of a vector for a missing bank are held back: where it has operands that
        are not 0 and not summed exactly."""
        return self.digits and not self.tree_traits.exact and self.banks < 1 << self.bank_bits

    @property
    def skips(self) -> bool:
        """Whether passes may be shorter than cycles_per_pass: zero_skip, and more cycles than one
        to begin at."""
        return "zero_skip" in self.features and self.max_planes > 1

    def effective_x_bits(self, x_bits: int = 0) -> int:
        """Precision of a pass whose x_bits port carries ``x_bits``: 0 and too large mean
        input_bits."""
        return x_bits if 1 <= x_bits <= self.input_bits else self.input_bits

    def cycles_per_pass(self, x_bits: int = 0, x_signed: bool = False) -> int:
        """Cycles in which a pass's planes are handed out: ceil(x_bits / bits_per_cycle), of
        unsigned vectors of digits ceil((x_bits + 1) / bits_per_cycle); with zero_skip at most."""
        more = int(self.digits and not x_signed)
        return ceil((self.effective_x_bits(x_bits) + more) / self.bits_per_cycle)

    def pass_interval(self, x_bits: int = 0, x_signed: bool = False) -> int:
        """Cycles between two results at full rate: those of a pass, and 2 at least where results
        have registers of their own, for what enables the array knows of one a cycle later: there a
        pass of one plane takes two cycles."""
        least = 2 if self.keeps_results else 1
        return max(self.cycles_per_pass(x_bits, x_signed), least)

    def latency(self, x_bits: int = 0, x_signed: bool = False) -> int:
        """Cycles from accepting a vector to y_valid, unstalled: pass_interval + lead + tree ranks +
        final ranks + 1, with zero_skip at most."""
        return self.pass_interval(x_bits, x_signed) + self.result_ranks + 1

    @property
    def read_latency(self) -> int:
        """Cycles from accepting a read-back to q_valid, unstalled: one plane through the same
        array."""
        return self.result_ranks + 2

    def write_cycles(self, row: int) -> int:
        """Cycles that ``row`` occupies the write stream, array idle; a missing row occupies 1."""
        traits = self.storage_traits
        if self.tables:
            return self._slots(row, fill=False)
        if row < self.rows and self.group_size(row) > 1:
            return traits.slot_cycles + self.result_ranks
        return traits.write_cycles

    def fill_cycles(self, row: int) -> int:
        """The same on the fast path of a whole bank, w_fill: 2^(row mod group); in tables that many
        slots, as for any write."""
        exists = row < self.rows
        if self.tables:
            return self._slots(row, fill=True)
        return 2 ** (row % self.group) if self.grouped and exists else self.write_cycles(row)

    def _slots(self, row: int, fill: bool) -> int:
        """Cycles to renew the entries of tables that contain ``row``, each read in a slot of the
        array: those of all other rows of its group, or of those before it."""
        if row >= self.rows:
            return 1
        places = [(row % part.group, part.group_size(row) - 1) for part in self.parts]
        others = max(place if fill else size for place, size in places)
        return self.storage_traits.slot_cycles + 2**others + self.result_ranks

    @property
    def reset_cycles(self) -> int:
        """Cycles after a reset in which nothing is ready: in tables each bank's entry of no row is
        written, 0."""
        return self.banks if self.tables else 0

    def load_cycles(self, fill: bool = False) -> int:
        """Cycles to write one whole bank, row by row or on the fast path."""
        return sum(map(self.fill_cycles if fill else self.write_cycles, range(self.rows)))

    @property
    def write_landing(self) -> int:
        """Cycles after those of a write in which its row still changes: a vector for its bank waits
        until then."""
        return self.storage_traits.group_landing if self.grouped else self.storage_traits.landing

    @property
    def macs_1b(self) -> int:
        """1-bit x 1-bit multiply-accumulates per cycle."""
        return self.rows * self.cols * self.weight_bits * self.bits_per_cycle

    # identity

    def parameters(self) -> dict[str, Any]:
        """Every parameter as plain JSON data, in the order of the table, defaults included."""
        told = {**self.model_dump(mode="json"), "slice_bits": self.slice_bits or self.weight_bits}
        if self.storage_traits.memory:
            shape = self.memory.as_json()
            told |= {f"sram_{key}": shape[key] for key in ("words", "bits", "ports")}
        return told

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the parameters and the interface's version as canonical JSON.

        The name is left out: it changes no behaviour.
        """
        told = {**self.parameters(), "interface": INTERFACE_VERSION}
        del told["name"]
        if self.group == self.storage_traits.groups[0] and not self.tables:
            del told["group"]
        for key in ("final_adder", "accumulate", "final_stages"):
            if told[key] == type(self).model_fields[key].default:
                del told[key]
        if not self.storage_traits.memory:
            told = {key: value for key, value in told.items() if not key.startswith("sram_")}
        told = {key: v for key, v in told.items() if v is not None or key not in TABLE_KEYS}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def module(self) -> str:
        """Name of the top module and first part of all others: ``name``, or else the common
        parameters, and 6 digits of the digest where any other differs from its default."""
        if self.name:
            return self.name
        common = (
            f"cim_r{self.rows}c{self.cols}_w{self.weight_bits}x{self.input_bits}_k{self.bits_per_cycle}"
            f"_b{self.banks}_{self.storage}_{self.tree}"
        )
        fields = type(self).model_fields
        own: dict[str, Any] = {"group": self.storage_traits.groups[0]}
        if self.tables:
            own |= {"ram": "ecp5"}
        others = {key: value for key, value in self if key not in (*COMMON, "name")}
        differs = any(v != own.get(key, fields[key].default) for key, v in others.items())
        return f"{common}_{self.digest[:6]}" if differs else common


@lru_cache(maxsize=256)
def _parts_of(config: MacroConfig) -> tuple[MacroConfig, ...]:
    """See MacroConfig.parts."""
    kinds = config.storage_traits.parts
    if len(kinds) < 2:
        return (config,)
    low = config.ram_cols or 0
    parts = []
    for kind, cols in zip(kinds, (low, config.cols - low), strict=True):
        if not cols:
            continue
        changed = {"storage": kind, "cols": cols, "ram_cols": None, "tree_stages": "auto"}
        changed |= {"name": f"{config.module}_{kind}"}
        changed |= {} if kind == "bram" else {"group": STORAGE[kind].groups[0]}
        part = config.model_copy(update=changed)
        if isinstance(config.tree_stages, int):
            stages = min(config.tree_stages, part.tree_levels if config.tree_stages else 0)
            part = part.model_copy(update={"tree_stages": stages})
        parts.append(part)
    return tuple(parts)


@lru_cache(maxsize=256)
def _slice_of(config: MacroConfig) -> MacroConfig:
    """The macro of one slice's weights; RAMs are those of whole rows and stay where they are."""
    narrow = {"weight_bits": config.slice_width, "slice_bits": None, "name": config.module}
    if config.storage_traits.memory:
        narrow |= {"sram_bits": None}
    return config.model_copy(update=narrow)


def _settle(error: ConfigError, parameters: dict[str, Any]) -> ConfigError:
    """The error with a nearest value that is legal beside the other parameters."""
    given = parameters.get(error.key)
    unchanged = type(given) is type(error.nearest) and given == error.nearest  # True is not 1
    if error.nearest is None or unchanged:
        return error
    try:
        MacroConfig(**{**parameters, error.key: error.nearest})
    except ConfigError as other:
        if other.key == error.key and other.nearest is None:
            return other
        if other.key == error.key:
            return ConfigError(error.key, error.rule, other.nearest)
    return error
