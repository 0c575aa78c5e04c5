"""The testbench that plays a workload through a timed netlist, and the numbers it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cimforge.flow.power.flat_netlist import FlatNetlist
from cimforge.flow.power.workload import Segment, Workload
from cimforge.golden.macro import MacroModel
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.fields import to_field_rows

__all__ = ["IDLE_CYCLES", "BenchFiles", "power_bench"]

IDLE_CYCLES = 64
WARM_UP = 2  # vectors before the first that counts: every register is then defined
CYCLES_A_STEP = 1000  # of patience

Step = IntEnum("Step", "WRITE VECTOR FIRST LAST DUMP", start=0)
Fields = list[tuple[str, int]]  # of a beat: port and value


@dataclass(frozen=True)
class BenchFiles:
    """Texts by file name, and how many vectors and cycles at least the bench takes."""

    texts: dict[str, str]
    vectors: int
    cycles: int


def power_bench(
    config: MacroConfig, netlist: FlatNetlist, workload: Workload, half_ps: int
) -> BenchFiles:
    """The bench of a workload at a clock of twice ``half_ps``, results checked against golden.

    Every bank is loaded before, and WARM_UP vectors pass. A segment counts from the cycle in which
    its first vector is accepted up to that in which one more than it has is: all its passes, back
    to back, nothing before and behind. At the end IDLE_CYCLES count in which no beat is offered.
    """
    play = _Play(config)
    play.run(workload)
    widths = {name: len(nets) for name, nets in netlist.ports.items()}
    outputs = {name: widths[name] for name in widths if name in netlist.outputs}
    inputs = {name: widths[name] for name in widths if name not in netlist.outputs}
    counted = sum(
        len(segment.inputs) * config.cycles_per_pass(segment.x_bits, segment.x_signed)
        for segment in workload.segments
    )
    text = _template().render(
        vectors=len(play.beats),
        inputs=inputs,
        outputs=outputs,
        connections=[*_connections("i", inputs), *_connections("o", outputs)],
        half=half_ps,
        steps=len(play.steps),
        writes=len(play.writes),
        idle_cycles=IDLE_CYCLES,
        limit=CYCLES_A_STEP * (len(play.steps) + 1),
        write_fields=_names(play.writes[0], widths),
        vector_fields=_names(play.beats[0], widths),
        write_bits=_width(play.writes[0], widths),
        vector_bits=_width(play.beats[0], widths),
    )
    return BenchFiles(
        {
            "bench.v": text,
            "steps.hex": _lines(play.steps),
            "writes.hex": _lines(_packed(play.writes, widths)),
            "beats.hex": _lines(_packed(play.beats, widths)),
            "results.hex": _lines(play.results),
        },
        len(play.beats),
        counted + IDLE_CYCLES,
    )


@cache
def _template() -> Template:
    loader = PackageLoader("cimforge.flow.power", ".")
    where = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    return where.get_template("power_bench.v.j2")


class _Play:
    """Steps, the beats that they take in turn, and the results that must come."""

    def __init__(self, config: MacroConfig):
        self._config = config
        self._model = MacroModel(config)
        self._held: dict[int, Segment] = {}
        self.steps: list[int] = []
        self.writes: list[Fields] = []
        self.beats: list[Fields] = []
        self.results: list[int] = []

    def run(self, workload: Workload) -> None:
        first = workload.segments[0]
        for bank in range(self._config.banks):
            self._load(first, bank)
        for index in range(WARM_UP):
            self._send(first, index, Step.VECTOR)
        self.steps.append(Step.DUMP)
        for segment in workload.segments:
            if self._held[segment.bank] is not segment:
                self._load(segment, segment.bank)
            for index in range(len(segment.inputs)):
                self._send(segment, index, Step.VECTOR if index else Step.FIRST)
            self._send(segment, 0, Step.LAST)

    def _load(self, segment: Segment, bank: int) -> None:
        mode = self._config.modes[segment.fuse]
        signed, fuse = segment.w_signed, segment.fuse
        self._model.load(segment.weights, bank=bank, signed=signed, fuse=fuse)
        for row, data in enumerate(to_field_rows(segment.weights, mode.weight_bits)):
            self.steps.append(Step.WRITE)
            place = [("w_bank", bank), ("w_row", row), ("w_fuse", segment.fuse)]
            self.writes.append([*place, ("w_data", data), ("w_signed", int(segment.w_signed))])
        self._held[bank] = segment

    def _send(self, segment: Segment, index: int, step: int) -> None:
        config = self._config
        values = segment.inputs[index % len(segment.inputs)] & ((1 << segment.x_bits) - 1)
        y = self._model.mvm(
            values, x_bits=segment.x_bits, x_signed=segment.x_signed, bank=segment.bank
        )
        self.steps.append(step)
        (data,) = to_field_rows(values[None], config.input_bits)
        how = [("x_bits", segment.x_bits), ("x_signed", int(segment.x_signed))]
        self.beats.append([("x_data", data), *how, ("x_bank", segment.bank)])
        self.results.append(to_field_rows(y[None], config.modes[segment.fuse].y_bits)[0])


def _names(fields: Fields, widths: dict[str, int]) -> list[str]:
    return [name for name, _ in fields if name in widths]


def _width(fields: Fields, widths: dict[str, int]) -> int:
    return sum(widths.get(name, 0) for name, _ in fields)


def _packed(beats: Sequence[Fields], widths: dict[str, int]) -> Iterator[int]:
    """Each beat as one number, its first field highest, without ports that do not exist."""
    for fields in beats:
        word = 0
        for name, value in fields:
            if name in widths:
                word = word << widths[name] | value & ((1 << widths[name]) - 1)
        yield word


def _lines(words: Sequence[int] | Iterator[int]) -> str:
    return "".join(f"{word:x}\n" for word in words)


def _connections(letter: str, ports: dict[str, int]) -> list[str]:
    """The ports of one bit, in order, to the bits of the bench's."""
    bits = [f"{name}[{bit}]" for name, width in ports.items() for bit in range(width)]
    return [f".{letter}{number}({bit})" for number, bit in enumerate(bits)]
