"""The digits on a simulated system: classes of its engine, of its core, and what it refuses."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from cimforge.compiler import digits
from cimforge.compiler.backends.rtl import SimulationError
from cimforge.compiler.matmul import exact_matmul
from cimforge.compiler.soc.classifier_client import ClassifierClient
from cimforge.compiler.soc.soc_backend import CLASSIFIER, SocBackend, classifier_source
from cimforge.flow.simulate.simulator import build, run_tests
from cimforge.fpga.cpu.simulated_system import default_system, simulated_system
from cimforge.fpga.cpu.toolchain import GCC, has_compiler
from cimforge.hdl.params.config_file import load_config
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.host.driver import LinkError

MACRO = load_config("tiny")
IMAGES = 5
needs_system = pytest.mark.skipif(
    not has_compiler() or find_spec("pythondata_cpu_picorv32") is None,
    reason=f"no PicoRV32, or no RISC-V C compiler (ziglang or {GCC})",
)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A system with an engine of the tiny macro."""
    return simulated_system(
        default_system(EngineConfig(macro=MACRO)), tmp_path_factory.mktemp("system")
    )


@pytest.fixture(scope="module")
def network():
    """The digits' network, in the macro's bits."""
    data = digits.load()
    return digits.quantise_network(digits.train(0), data.train_images, *digits.network_bits(MACRO))


@needs_system
def test_engine_and_core_have_goldens_classes(target, network):
    images = digits.load().test_images[:IMAGES]
    told = []
    backend = SocBackend(target, target.design.folder, lambda _: None, lambda *n: told.append(n))
    labels = backend.predict(network, images)
    assert labels.tolist() == digits.predict(network, images, exact_matmul).tolist()
    assert backend.bit_exact
    assert backend.images == IMAGES
    assert backend.macs == IMAGES * (64 * 32 + 32 * 10)
    # 8 x 8 tiles and 4 x 3, of 3 planes each: inputs of 0..7
    assert backend.passes == IMAGES * (8 * 8 + 4 * 3)
    assert backend.pass_cycles == 3 * backend.passes
    assert backend.pass_cycles < backend.busy < backend.cycles < backend.core_cycles / 5
    facts = backend.facts()
    assert facts["system"] == target.config.module
    assert facts["speed_up"] == pytest.approx(
        facts["core_cycles_per_image"] / facts["engine_cycles_per_image"], rel=1e-2
    )
    assert json.dumps(facts)


def astray(program):
    """The program with a LOAD from where no memory is."""
    commands = list(program.commands)
    place = next(n for n, (name, _) in enumerate(commands) if name == "load")
    fields = {**commands[place].fields, "source": 0x50000000}
    commands[place] = commands[place]._replace(fields=fields)
    return replace(program, commands=tuple(commands))


@needs_system
@pytest.mark.parametrize("fault", ["none", "another engine", "engine failed"])
def test_what_the_program_refuses(fault, target, network, tmp_path):
    """Illegal commands; the engine, where the program is another's; and what the engine tells."""
    batch = 2
    images = digits.load().test_images[:batch]
    own, program = classifier_source(network, target.engine, batch, target.ram)
    expected = digits.predict(network, images, exact_matmul).tolist()
    config = target.config
    if fault != "none":
        expected = f"the system says 'error {fault}', not classes"
    if fault == "another engine":
        engine = target.engine.model_copy(update={"acc_vectors": 300})
        config = replace(config, engine=engine)
    if fault == "engine failed":
        own |= astray(program).source()
    build(target.design, "verilator", announce=lambda _: None)
    replace(target, config=config).build_program(
        tmp_path, CLASSIFIER, own, program.end - target.ram
    )
    np.savez(tmp_path / "images.npz", images=images)
    job = {"inputs": str(tmp_path / "images.npz"), "batch": batch, "divisor": target.divisor}
    job |= {"expected": expected, "seed": 0, "name": config.module}
    suite = ["cimforge.compiler.tests.classify_suite"]
    assert not run_tests(target.design, "verilator", suite, tmp_path, job=job)
    cases = ET.parse(tmp_path / "results.xml").getroot().findall(".//testcase")
    assert [failure.attrib for case in cases for failure in case.findall("failure")] == []
    assert len(cases) == 1


@needs_system
def test_a_silent_system_is_told(target, network, monkeypatch):
    monkeypatch.setattr("cimforge.compiler.soc.soc_backend.PATIENCE_CYCLES", 800)
    backend = SocBackend(target, target.design.folder, lambda _: None)
    with pytest.raises(SimulationError, match="ended without results"):
        backend.predict(network, digits.load().test_images[:1])


class Script:
    """A port that answers what it was told to."""

    def __init__(self, text: bytes):
        self.text, self.sent = text, b""

    def write(self, data: bytes) -> None:
        self.sent += data

    def read(self, size: int) -> bytes:
        part, self.text = self.text[:size], self.text[size:]
        return part

    def reset_input_buffer(self) -> None:
        self.text = b""


def test_the_client_reads_what_the_program_says():
    port = Script(b"ready it\nclasses 3 9\r\ncycles 77\nengine 5 4\nok\n")
    client = ClassifierClient(port)
    assert client.greeting() == "it"
    told = client.classify(np.array([[1, 2], [3, 16]]), "engine")
    assert port.sent == b"e\x02\x01\x02\x03\x10"
    assert (told.classes.tolist(), *told[1:]) == ([3, 9], 77, 5, 4)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"classes 3\n", r"says 'classes 3', not classes"),
        (b"classes 3 x\n", r"says 'classes 3 x', not classes"),
        (b"error overrun\n", r"says 'error overrun', not classes"),
        (b"\n", r"says 'an empty line', not classes"),
        (b"classes 1 2", r"silent after b'classes 1 2'"),
        (b"", r"silent after b''"),
    ],
)
def test_the_client_refuses_other_answers(text, rule):
    with pytest.raises(LinkError, match=rule):
        ClassifierClient(Script(text)).classify(np.zeros((2, 4), int), "core")
    with pytest.raises(LinkError, match="where it should be ready"):
        ClassifierClient(Script(b"hello\n")).greeting()
