"""How a macro is tested once it is made: what scan insertion finds, how the array is reached."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cimforge.flow.handover.whole_netlist import WholeNetlist
from cimforge.hdl.netlist.module import Port
from cimforge.hdl.params.config import MacroConfig

__all__ = ["scan_notes"]

TEST_OPEN = "test_en"


def scan_notes(config: MacroConfig, ports: Sequence[Port], whole: WholeNetlist | None) -> str:
    """Markdown for who inserts scan chains, with counts where there is a mapped netlist."""
    name = config.module
    parts = [
        f"# Scan insertion: {name}",
        "The macro has no scan chain of its own: insert one in the mapped netlist or in the flow.",
        *_state(whole),
        *_clocks(ports),
        *_array(config),
        "## Ports",
        "What a test must drive or may watch, in the order of the module; none is a scan port.",
        _table(
            ("port", "direction", "bits", "in a test"),
            [(p.name, p.direction, str(p.width), _use(p)) for p in ports],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _state(whole: WholeNetlist | None) -> Iterable[str]:
    """Flip-flops, latches and clock gates, counted."""
    yield "## State"
    if whole is None:
        yield "Counts need a library: `cimforge handover CONFIG --liberty FILE`."
        return
    known = whole.library.cells
    counts = Counter(cell.kind for cell in whole.netlist.cells if cell.kind in known)
    rows = []
    for kind in sorted(counts):
        cell = known[kind]
        if cell.gate_kind:
            test = "a test pin" if "precontrol" in cell.gate_kind else "no test pin"
            rows.append((kind, "clock gate", str(counts[kind]), test))
        elif cell.ff is not None:
            rows.append((kind, "flip-flop", str(counts[kind]), "replace by the scan cell"))
        elif cell.latch is not None:
            rows.append((kind, "D latch", str(counts[kind]), "not in a chain; see below"))
    yield _table(("cell", "what", "how many", "scan"), rows)
    scan = sorted(n for n, cell in known.items() if cell.reason == "scan")
    if scan:
        some = ", ".join(scan[:6]) + (f" and {len(scan) - 6} more" if len(scan) > 6 else "")
        yield f"Scan cells of {whole.library.name}: {some}."
    else:
        yield f"{whole.library.name} has no scan cells that its Liberty file tells of."


def _clocks(ports: Sequence[Port]) -> Iterable[str]:
    yield "## Clocks"
    yield (
        "One clock, `clk`, rising edge; `rst` is synchronous, so it is a data input to a test. The "
        "mapper gates the clock of flip-flops that share an enable: the test pins of those gates "
        "are tied to 0 (`cim_enable_gate`), for the insertion to connect to its scan enable. "
        "Without that, a shift does not reach the flip-flops behind a closed gate."
    )
    if any(port.name == TEST_OPEN for port in ports):
        yield (
            f"`{TEST_OPEN}` is 0 in use. At 1 every clock gate of the array is open in the low "
            "phase of `clk`: latches are transparent there, and the logic behind them can be "
            "tested as combinational. Drive it from the test controller; the constraints hold it "
            "at 0 (`set_case_analysis`)."
        )


def _array(config: MacroConfig) -> Iterable[str]:
    yield "## The array"
    words = config.rows * config.banks
    width = config.cols * config.weight_bits
    traits = config.storage_traits
    if traits.memory:
        yield "The weights are in RAMs, which bring their own test (BIST) with them."
    elif config.tables:
        yield "The weights are in an FPGA's RAM blocks: there is nothing to scan."
    elif traits.control_ports:
        yield "The weights are in latches or in pairs of gates: no chain reaches them."
    else:
        yield "The weights are in flip-flops, which a chain may take: that is most of its length."
    yield (
        f"As a memory it has {words} words of {width} bits: write through the stream `w_*`, read "
        "back through `r_*` and `q_*`, a row each. A march test (MATS+ or March C-) over these "
        "ports finds stuck cells, coupling and a faulty row decoder; patterns are any values of "
        "`weight_bits`, for every pattern of bits is a weight. Multiply, trees and accumulators "
        "are then tested through `x_*` and `y_*` against the golden model "
        "(`cimforge generate` leaves ten such vectors in the testbench)."
    )


def _use(port: Port) -> str:
    if port.name == "clk":
        return "test clock"
    if port.name == TEST_OPEN:
        return "1 opens the array's clock gates"
    return "driven" if port.direction == "input" else "watched"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
