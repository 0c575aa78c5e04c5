"""synth --sram: whose RAM counts, and what is refused before anything is written."""

from pathlib import Path

import pytest

SMALL = Path(__file__).parents[2] / "flow" / "tests" / "small.lib"
LIBRARY = ("--target", "liberty", "--liberty", SMALL)
RAM = ("storage=sram", "rows=3", "cols=2", "banks=3", "sram_words=16", "sram_bits=5")
TINY = tuple(word for value in RAM for word in ("--set", value))
PINS = {"clk0": 1, "clk1": 1, "csb0": 1, "csb1": 1, "addr0": 4, "addr1": 4, "din0": 5, "dout1": 5}


def lef(**widths: int) -> str:
    """A LEF file of the RAM ``ram_16x5``, 50 um2, its pins as wide as told."""
    lines = ["MACRO ram_16x5", "  SIZE 10 BY 5 ;"]
    for pin, width in {**PINS, **widths}.items():
        way = "OUTPUT" if pin == "dout1" else "INPUT"
        for bit in [pin] if width == 1 else [f"{pin}[{place}]" for place in range(width)]:
            lines += [f"  PIN {bit}", f"    DIRECTION {way} ;", f"  END {bit}"]
    return "\n".join([*lines, "END ram_16x5", ""])


def test_area_and_unused_bits_count(cimforge, folder):
    (folder / "ram.lef").write_text(lef())
    without = cimforge("synth", "tiny", *TINY, *LIBRARY, "-o", "m", "--json")
    done = cimforge("synth", "tiny", *TINY, *LIBRARY, "-o", "m", "--sram", "ram.lef", "--json")
    assert (without.status, done.status) == (0, 0)
    ram = done.json["ram"]
    told = {key: ram[key] for key in ("cell", "area", "instances", "per_row", "unused_bits")}
    # 8 bits take two RAMs of 5
    assert told == {
        **{"cell": "ram_16x5", "area": 50.0, "instances": 6, "per_row": 2},
        "unused_bits": 6 * 16 * 5 - 3 * 3 * 8,
    }
    assert done.json["total"] == pytest.approx(without.json["total"] + 6 * 50, abs=0.02)
    grown = done.json["breakdown"]["storage"] - without.json["breakdown"]["storage"]
    assert grown == pytest.approx(6 * 50, abs=0.02)
    assert "ram_16x5 ram (" in (folder / ram["wrapper"]).read_text()
    assert any("6 RAMs of 16 x 5 bits (1r1w): not counted" in n for n in without.json["notes"])
    assert without.json["ram"]["cell"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (TINY, "--sram: only with --target liberty, not generic"),
        (
            ("--target", "liberty"),
            "--sram: storage flop has no RAMs (nearest legal value: --set storage=sram)",
        ),
        (
            (*TINY, "--set", "sram_bits=8", "--target", "liberty"),
            "--sram ram.lef: ram_16x5 has 4 address and 5 data bits, sram_words = 16 and sram_bits "
            "= 8 take 4 and 8 (nearest legal value: --set sram_words=16 --set sram_bits=5)",
        ),
        (
            (*TINY, "--target", "liberty", "--sram-pin", "clk0=clock"),
            "--sram-pin clk0: must be one of clk, write, read, write_address, read_address, d, q, "
            "!write, !read, 0, 1, not clock",
        ),
        (
            (*TINY, "--target", "liberty", "--sram-pin", "clk0"),
            "must be PIN=ROLE, for example CEN=!enable, not 'clk0'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_first(arguments, message, cimforge, folder):
    (folder / "ram.lef").write_text(lef())
    done = cimforge("synth", "tiny", *arguments, "--sram", "ram.lef", "-o", "m")
    assert done.status == 2
    assert message in done.messages[0]
    assert not (folder / "m").exists()


def test_roles_of_pins_need_a_ram(cimforge):
    done = cimforge("synth", "tiny", *TINY, "--sram-pin", "a=address")
    assert done.status == 2
    assert "--sram-pin: only with --sram FILE" in done.messages[0]


def test_boards_and_power_refuse_rams(cimforge):
    board = cimforge("fpga", "hx8k", "tiny", *TINY)
    power = cimforge("power", "tiny", *TINY)
    netlist = cimforge("verify", "tiny", *TINY, "--netlist", "ecp5")
    assert {board.status, power.status, netlist.status} == {2}
    assert "hx8k: storage sram has no cell on ice40" in board.messages[0]
    assert "--netlist ecp5: storage sram has no cell on ecp5" in netlist.messages[0]
    assert power.messages[0].endswith(
        "power: no cell library tells the energy of the RAMs of storage sram (nearest legal value: "
        "--set storage=flop)"
    )
