"""What software relies on is pinned to its version: neither changes without the other."""

import hashlib
import json

import pytest

from cimforge.hdl.bus.registers import RegisterMap
from cimforge.hdl.bus.signatures import bus_ports, stream_ports
from cimforge.hdl.params import interface
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.tests.configs import DIVERSE, macro

CONFIGS = (
    DIVERSE["tiny"],
    macro(5, 3, 3, 6, 2, 3, "latch"),
    macro(40, 30, 16, 16, banks=5),
    macro(1, 1, 1, 1),
)
# version: digest of what belongs to it. A change of what is described adds a version: the hash of
# every configuration holds it, so software and hardware of different versions refuse each other.
PINNED = {3: "e9c0567fbaaaa5a4"}


def described(config: MacroConfig) -> dict:
    """Map and ports as plain data, the configuration's hash left out."""
    table = RegisterMap(config)
    registers = [
        [r.name, r.offset, r.access, [[f.name, f.low, f.width, f.limit] for f in r.fields]]
        for r in table.registers()
    ]
    return {
        "registers": registers,
        "constants": {r.name: r.constant for r in table.registers() if r.name != "hash"},
        "windows": [[w.name, w.offset, w.access, w.words] for w in table.windows()],
        "address_bits": table.address_bits,
        "result_words": table.result_words,
        "streams": stream_ports(config),
        "bus": bus_ports(config),
    }


def digest() -> str:
    """Of everything described, over configurations of several shapes."""
    text = json.dumps([described(config) for config in CONFIGS], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_map_and_ports_belong_to_their_version():
    assert PINNED.get(interface.INTERFACE_VERSION) == digest(), (
        "the register map or the ports changed: raise INTERFACE_VERSION and pin "
        f"{digest()} for the new version"
    )


def test_the_pin_notices_a_moved_field(monkeypatch):
    pinned = digest()
    monkeypatch.setattr("cimforge.hdl.bus.registers.TAG_BITS", 5)
    assert digest() != pinned


@pytest.mark.parametrize("version", [2, 4])
def test_another_version_is_another_hash(version, monkeypatch):
    hashes = [config.digest for config in CONFIGS]
    monkeypatch.setattr("cimforge.hdl.params.config.INTERFACE_VERSION", version)
    assert all(a != b for a, b in zip(hashes, [c.digest for c in CONFIGS], strict=True))
