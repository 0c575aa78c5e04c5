"""The engine's register map: what stands where, and that it belongs to its version."""

import hashlib
import json

import pytest

from cimforge.hdl.bus.engine_map import ACCESS, EngineMap
from cimforge.hdl.params import descriptors, interface
from cimforge.hdl.params.descriptors import DescriptorField, operations
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.hdl.tests.map_configs import ENGINES

every_engine = pytest.mark.parametrize("config", ENGINES.values(), ids=ENGINES)
# version: digest of what belongs to it. A change of what is described adds a version: the hash of
# every engine holds it, so software and hardware of different versions refuse each other.
PINNED = {1: "77d5d3c632ab12fb"}


def described(config: EngineConfig) -> dict:
    """Registers and descriptors as plain data, texts and the configuration's hash left out."""
    table = EngineMap(config)
    registers = [
        [
            *(r.name, r.offset, r.access, table.least(r.name), table.needs_idle(r.name)),
            [[f.name, f.low, f.width] for f in r.fields],
        ]
        for r in table.registers()
    ]
    commands = [
        [o.name, o.code, o.unit, [[f._replace(meaning=""), f.number] for f in o.fields]]
        for o in operations(config)
    ]
    return {
        "registers": registers,
        "constants": {r.name: r.constant for r in table.registers() if r.name != "hash"},
        "clash": table.is_word("control", 0b11),
        "causes": [*ERROR_CAUSES],
        "descriptors": commands,
        "sizes": [descriptors.DESCRIPTOR_WORDS, descriptors.UNITS, descriptors.ROUNDINGS],
    }


def digest() -> str:
    """Of everything described, over engines of several shapes."""
    text = json.dumps([described(config) for config in ENGINES.values()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_registers_and_descriptors_belong_to_their_version():
    assert PINNED.get(interface.ENGINE_VERSION) == digest(), (
        "registers or descriptors changed: raise ENGINE_VERSION and pin "
        f"{digest()} for the new version"
    )


def test_the_pin_notices_a_moved_descriptor_field(monkeypatch):
    pinned = digest()
    moved = DescriptorField("bank", 3, 8, 8, "", 0)
    monkeypatch.setattr(descriptors, "_load", lambda config: (moved,))
    operations.cache_clear()
    changed = digest()
    operations.cache_clear()
    assert changed != pinned


def test_the_pin_notices_a_moved_register(monkeypatch):
    pinned = digest()
    queue = EngineMap._queue
    monkeypatch.setattr(EngineMap, "_queue", lambda self: reversed([*queue(self)]))
    assert digest() != pinned


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_another_hash_and_says_so(version, monkeypatch):
    words = [EngineMap(config).register("hash").constant for config in ENGINES.values()]
    monkeypatch.setattr("cimforge.hdl.params.engine_config.ENGINE_VERSION", version)
    monkeypatch.setattr("cimforge.hdl.bus.engine_map.ENGINE_VERSION", version)
    changed = [EngineMap(config) for config in ENGINES.values()]
    assert all(a != b.register("hash").constant for a, b in zip(words, changed, strict=True))
    assert [table.register("version").constant for table in changed] == [version] * len(changed)


def test_the_words_of_an_engine_by_hand():
    """rows 16, 8 outputs; 8b x 8b, sums of 32 bits, 2 banks; one macro, 4 bytes, one lane, ..."""
    table = EngineMap(ENGINES["plain"])
    words = {r.name: (r.offset, r.constant) for r in table.registers()}
    assert words["id"] == (0x00, int.from_bytes(b"CIME", "big"))
    assert words["version"] == (0x04, interface.ENGINE_VERSION)
    assert words["geometry"] == (0x0C, 0x0008_0010)
    assert words["precision"] == (0x10, 0x02_20_08_08)
    assert words["size"] == (0x14, 1 << 29 | 1 << 24 | 0x01_04_01)
    assert words["act_bytes"] == (0x18, 16384)
    assert words["acc_vectors"] == (0x1C, 256)
    assert words["channels"] == (0x20, 256)
    assert words["macs_high"] == (0x70, 0)
    assert table.address_bits == 7


def test_every_part_of_the_size_is_told():
    wide = EngineMap(ENGINES["wide"])
    assert wide.register("size").constant == 1 << 29 | 0b011 << 26 | 2 << 24 | 0x20_40_40
    assert wide.register("precision").constant == 0x01_30_10_10
    assert wide.register("geometry").constant == 511 * 64 << 16 | 1024
    modes = EngineMap(ENGINES["modes"]).register("size")
    assert modes.field("modes").of(modes.constant) == 6  # divisors of 12 slices
    binary = EngineMap(ENGINES["binary"]).register("size")
    assert binary.field("binary").of(binary.constant) == 1


@every_engine
def test_fields_fit_and_names_are_their_own(config):
    table = EngineMap(config)
    registers = table.registers()
    assert len({r.name for r in registers}) == len(registers)
    assert [r.offset for r in registers] == [4 * place for place in range(len(registers))]
    assert registers[-1].offset < 1 << table.address_bits
    for register in registers:
        assert register.access in ACCESS
        taken = 0
        for field in register.fields:
            assert field.width > 0
            assert not field.mask & taken
            assert 0 <= field.value < 1 << field.width
            assert field.meaning
            taken |= field.mask
        assert 0 < taken < 1 << 32
        assert table.register(register.name) == register
    with pytest.raises(KeyError, match="nothing"):
        table.register("nothing")


@pytest.mark.parametrize(
    ("name", "word", "legal"),
    [
        *(("control", word, True) for word in (0, 1, 2, 4, 5, 6)),
        *(("control", word, False) for word in (3, 7, 8, 1 << 31)),
        *(("irq_status", word, word < 8) for word in (0, 7, 8, 1 << 31)),
        *(("queue_base", word, word % 64 == 0) for word in (0, 1, 32, 64, 0xFFFFFFC0, 0xFFFFFFFF)),
        *(("queue_count", word, 0 < word < 65536) for word in (0, 1, 65535, 65536, 1 << 31)),
    ],
)
def test_words_that_may_be_written(name, word, legal):
    assert EngineMap(ENGINES["plain"]).is_word(name, word) is bool(legal)
