"""Ports: mapped files word by word, LiteX's client, and the driver over both."""

import mmap
import re
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from cimforge.host.engine_driver import EngineDriver
from cimforge.host.engine_ports import LitexPort, MappedPort, MemoryRegion, open_litex
from cimforge.host.port import LinkError
from cimforge.host.tests.engine_bench import reference
from cimforge.host.tests.engine_twin import EngineTwin
from cimforge.host.tests.test_engine_driver import CONFIG, LAYER, SIZE, X

README = Path(__file__).parents[1] / "README.md"
REGISTERS, PLACE = 0xF000_0000, 0x4000_0000
REGION = MemoryRegion(address=0x1000, size=SIZE, place=PLACE)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mem"
    path.write_bytes(bytes(n * 7 % 256 for n in range(4 * mmap.ALLOCATIONGRANULARITY)))
    return path


def mapped(file) -> MappedPort:
    memory = MemoryRegion(address=0x8000, size=4096, place=mmap.ALLOCATIONGRANULARITY + 64)
    return MappedPort(str(file), registers=128, memory=memory)


def test_a_mapped_file_is_read_and_written_in_place(file):
    place = mmap.ALLOCATIONGRANULARITY + 64
    with mapped(file) as port:
        assert port.read_register(4) == int.from_bytes(file.read_bytes()[132:136], "little")
        port.write_register(8, 0xDEADBEEF)
        before = file.read_bytes()
        assert before[136:140] == bytes.fromhex("efbeadde")
        for low, count in ((0, 4), (1, 2), (3, 6), (5, 0), (4090, 6), (2, 9), (1, 8)):
            told = port.read_memory(0x8000 + low, count)
            assert told == before[place + low : place + low + count], (low, count)
            data = bytes(range(100, 100 + count))
            port.write_memory(0x8000 + low, data)
            before = before[: place + low] + data + before[place + low + count :]
            assert file.read_bytes() == before, (low, count)


def test_mapped_registers_are_accessed_as_words(file):
    """A device answers words: no access of the port is another one."""
    port = mapped(file)
    assert port._registers.itemsize == port._memory.itemsize == 4
    port.close()
    port.close()


def test_a_mapped_file_is_refused(file):
    region = MemoryRegion(0, 64, 0)
    with pytest.raises(LinkError, match=r"nowhere: No such file or directory"):
        MappedPort("/nowhere", registers=0, memory=region)
    with pytest.raises(LinkError, match=r"mem: .*(mmap|length)"):
        MappedPort(str(file), registers=0, memory=MemoryRegion(0, 1 << 20, 0))
    with pytest.raises(ValueError, match="registers must be a multiple of 4, not 2"):
        MappedPort(str(file), registers=2, memory=region)
    with pytest.raises(ValueError, match=r"memory must lie in 0x8000..0x8fff, not 0x8ffe..0x9001"):
        mapped(file).read_memory(0x8FFE, 4)
    with pytest.raises(ValueError, match=r"memory must lie in"):
        mapped(file).write_memory(0x7FFF, b"12")


class Client:
    """What LiteX's server does for its client: words at addresses of a bus."""

    def __init__(self, twin: EngineTwin):
        self.twin, self.lengths = twin, []

    def read(self, address: int, length: int) -> list[int]:
        self.lengths.append(length)
        return [self._one(address + 4 * n) for n in range(length)]

    def _one(self, address: int) -> int:
        if address >= REGISTERS:
            return self.twin.read_register(address - REGISTERS)
        data = self.twin.read_memory(address - PLACE + REGION.address, 4)
        return int.from_bytes(data, "little")

    def write(self, address: int, words: list[int]) -> None:
        self.lengths.append(len(words))
        for number, word in enumerate(words):
            at = address + 4 * number
            if at >= REGISTERS:
                self.twin.write_register(at - REGISTERS, word)
            else:
                at += REGION.address - PLACE
                self.twin.write_memory(at, word.to_bytes(4, "little"))


def test_the_driver_over_litex():
    client = Client(EngineTwin(CONFIG, SIZE, base=REGION.address))
    port = LitexPort(client, registers=REGISTERS, memory=REGION)
    engine = EngineDriver(port, CONFIG, memory=(REGION.address, SIZE))
    assert np.array_equal(engine.linear(X, LAYER), reference(LAYER, X))
    assert max(client.lengths) <= 255  # an Etherbone packet's counts have 8 bits
    data = bytes(n % 251 for n in range(1501))
    port.write_memory(REGION.address + 3, data)
    assert port.read_memory(REGION.address + 1, 1505)[2:-2] == data
    assert max(client.lengths) == 255


def test_a_litex_port_is_refused():
    with pytest.raises(ValueError, match="place must be a multiple of 4, not 1"):
        LitexPort(None, registers=0, memory=MemoryRegion(0, 64, 1))
    client = Client(EngineTwin(CONFIG))
    client.read = lambda address, length: [0] * (length - 1)
    port = LitexPort(client, registers=REGISTERS, memory=REGION)
    with pytest.raises(LinkError, match="LiteX's server sent 0 of 1 words"):
        port.read_register(0)


def test_litex_itself(monkeypatch):
    """LiteX's own server and client, over TCP; a server that falls silent is a LinkError."""
    pytest.importorskip("litex", reason="needs LiteX (make litex)")
    from litex.tools.litex_server import RemoteServer

    client = Client(EngineTwin(CONFIG, SIZE, base=REGION.address))
    comm = type("Comm", (), {"open": lambda self: None, "close": lambda self: None})()
    comm.read = lambda address, length=None, burst="incr": client.read(address, length or 1)
    comm.write = lambda address, words: client.write(address, words)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        number = free.getsockname()[1]
    server = RemoteServer(comm, "localhost", number)
    server.open()
    threading.Thread(target=server._serve_thread, daemon=True).start()
    remote = open_litex("localhost", number)
    port = LitexPort(remote, registers=REGISTERS, memory=REGION)
    engine = EngineDriver(port, CONFIG, memory=(REGION.address, SIZE))
    assert np.array_equal(engine.linear(X, LAYER), reference(LAYER, X))

    remote.socket.settimeout(0.2)
    comm.read = lambda *_: threading.Event().wait()
    with pytest.raises(LinkError, match="LiteX's server does not answer"):
        port.read_register(0)
    remote.close()


def test_litex_needs_a_server_and_litex(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "litex", None)
    with pytest.raises(LinkError, match=r"localhost:1: needs LiteX; run .*litex"):
        open_litex("localhost", 1)


def test_the_readmes_example_runs(monkeypatch):
    """On the twin in place of /dev/mem."""
    examples = re.findall(r"```py\n(.*?)```", README.read_text(), re.S)
    (example,) = (text for text in examples if "/dev/mem" in text)
    twin = EngineTwin(CONFIG, 1 << 20, base=0x4000_0000)
    monkeypatch.setattr(EngineTwin, "__enter__", lambda self: self, raising=False)
    monkeypatch.setattr(EngineTwin, "__exit__", lambda self, *_: None, raising=False)
    monkeypatch.setattr("cimforge.host.engine_ports.MappedPort", lambda *_, **__: twin)
    rng = np.random.default_rng(5)
    given = {"config": CONFIG, "weights": rng.integers(-8, 8, (3, 10)), "bias": 100}
    given["x"] = rng.integers(-8, 8, (4, 10))
    exec(example, given)
    assert np.array_equal(given["y"], reference(given["layer"], given["x"]))
    assert twin.resets == 2
