"""Parameters of a system, and its memory map as hardware, linker and C have it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from cimforge.fpga.cpu.firmware import system_files
from cimforge.fpga.cpu.memory_map import IO_BITS, IO_REGISTERS, memory_map, region
from cimforge.fpga.cpu.system_config import SystemConfig
from cimforge.fpga.cpu.word_memory import rom_text
from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.errors import ConfigError

ENGINE = EngineConfig(macro=load_config("tiny"))
CONFIGS = (SystemConfig(), SystemConfig(engine=ENGINE, rom_bytes=1024, ram_bytes=1 << 20))


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"rom_bytes": 512}, r"rom_bytes must be an integer in 1024..1048576, not 512 .*: 1024"),
        ({"rom_bytes": 3000}, r"rom_bytes must be a power of 2, not 3000 .*: 2048"),
        ({"ram_bytes": 2048}, r"ram_bytes must be an integer in 4096..1048576, not 2048 .*: 4096"),
        ({"ram_bytes": 1 << 21}, r"ram_bytes must be an integer .*: 1048576"),
        ({"divisor": 7}, r"divisor must be an integer in 8..65536, not 7 .*: 8"),
        ({"divisor": 8.0}, r"divisor must be an integer in 8..65536, not 8.0 .*: 8"),
        ({"multiplier": "slow"}, r"multiplier must be one of none, serial, fast, not 'slow'"),
        (
            {"engine": ENGINE.model_copy(update={"streams": True})},
            "engine must be without streams",
        ),
    ],
)
def test_illegal_parameters_are_refused(parameters, rule):
    with pytest.raises(ConfigError, match=rule):
        SystemConfig(**parameters)


def test_names_tell_systems_apart():
    configs = (*CONFIGS, SystemConfig(divisor=9), SystemConfig(engine=ENGINE))
    assert len({config.module for config in configs}) == len(configs)
    assert CONFIGS[0].module == "cim_cpu_system"


@pytest.mark.parametrize("config", CONFIGS)
def test_regions_are_apart_and_aligned(config):
    regions = memory_map(config)
    assert [each.name for each in regions][:3] == ["rom", "ram", "io"]
    assert regions[0].base == 0  # where the core begins
    for before, after in pairwise(regions):
        assert before.end <= after.base
    for each in regions:
        assert each.size == 1 << each.address_bits
        assert each.base % each.size == 0
    assert region(config, "ram").size == config.ram_bytes


def test_engine_registers_have_room():
    bits = region(CONFIGS[1], "engine").address_bits
    assert bits == EngineMap(ENGINE).address_bits
    with pytest.raises(KeyError):
        region(CONFIGS[0], "engine")


def test_fields_of_io_do_not_overlap():
    assert [register.offset for register in IO_REGISTERS] == list(range(0, 20, 4))
    assert IO_REGISTERS[-1].offset < 1 << IO_BITS
    for register in IO_REGISTERS:
        masks = [field.mask for field in register.fields]
        assert sum(masks) | register.reserved == (1 << 32) - 1
        assert sum(masks) & register.reserved == 0


@pytest.mark.parametrize("config", CONFIGS)
def test_c_and_linker_have_the_same_map(config):
    texts = system_files(config, reserved=256)
    header, script = texts["system.h"], texts["link.ld"]
    for each in memory_map(config):
        assert f"#define {each.name.upper()}_BASE 0x{each.base:08x}u" in header
        assert f"#define {each.name.upper()}_BYTES {each.size}u" in header
    assert ("ENGINE_BASE" in header) == bool(config.engine)
    ram = region(config, "ram")
    placed = rf"ram \(rw\) : ORIGIN = 0x{ram.base + 256:08x}, LENGTH = {ram.size - 256}"
    assert re.search(placed, script)
    assert f"rom (rx) : ORIGIN = 0x00000000, LENGTH = {config.rom_bytes}" in script
    for register in IO_REGISTERS:
        assert f"#define IO_{register.name.upper()} (*(volatile uint32_t *)" in header
        assert f"(IO_BASE + {register.offset}u))" in header


def test_words_of_rom_are_little_endian():
    rom = region(SystemConfig(rom_bytes=1024), "rom")
    lines = rom_text(bytes([1, 2, 3, 4, 5]), rom).split()
    assert lines == ["04030201", "00000005"] + ["00000000"] * 254
    with pytest.raises(ValueError, match="must fit 1024 bytes of ROM, not 1025"):
        rom_text(bytes(1025), rom)


def test_readme_has_the_map():
    text = (Path(__file__).parents[1] / "cpu" / "README.md").read_text()
    for each in memory_map(CONFIGS[1]):
        size = f"`{each.name}_bytes`" if each.name in ("rom", "ram") else str(each.size)
        assert f"| `{each.name}` | 0x{each.base:08x} | {size} |" in text
    for register in IO_REGISTERS:
        assert f"| `{register.name}` | {register.offset} | {register.access} |" in text
