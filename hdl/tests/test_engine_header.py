"""The engine's C header, compiled as C and as C++: the map's numbers, and descriptors as packed."""

import ctypes
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from cimforge.hdl.bus.engine_map import EngineMap
from cimforge.hdl.emit.register_views import engine_files, field_rules
from cimforge.hdl.params import descriptors
from cimforge.hdl.params.descriptors import (
    OPERATIONS,
    DescriptorError,
    DescriptorField,
    check_descriptor,
    operations,
    pack_descriptor,
)
from cimforge.hdl.params.engine_config import EngineConfig
from cimforge.hdl.params.engine_errors import ERROR_CAUSES
from cimforge.hdl.tests.map_configs import ENGINES

COMPILERS = {"c": ("gcc", "-std=c99"), "cpp": ("g++", "-std=c++11")}
STRICT = ("-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Werror")
COMMON = ("op", "beside", "interrupt")
SEED = 11
every_engine = pytest.mark.parametrize("config", ENGINES.values(), ids=ENGINES)
Words = ctypes.c_uint32 * descriptors.DESCRIPTOR_WORDS


@pytest.fixture(params=COMPILERS)
def build(request, tmp_path):
    """Compiles a source that includes an engine's header; ``pre_`` and ``GUARD`` are its own."""
    compiler, standard = COMPILERS[request.param]
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} on PATH; install it")

    def make(config: EngineConfig, source: str, *options: str, prefix: str | None = None) -> Path:
        name = config.module
        (tmp_path / f"{name}.h").write_text(engine_files(config, prefix)[f"{name}.h"])
        named = prefix or name
        text = source.replace("GUARD", named.upper()).replace("pre_", f"{named.lower()}_")
        (tmp_path / f"main.{request.param}").write_text(f'#include "{name}.h"\n{text}')
        command = (compiler, standard, *STRICT, *options, "-o", "made", f"main.{request.param}")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return tmp_path / "made"

    return make


def numbers(config: EngineConfig) -> dict[str, int]:
    """Every symbol of the header and its value, from the map and the table of descriptors."""
    table, told = EngineMap(config), {"BYTES": 1 << EngineMap(config).address_bits}
    told |= {"DESCRIPTOR_WORDS": 16, "DESCRIPTOR_BYTES": 64}
    for register in table.registers():
        name = register.name.upper()
        told[name] = register.offset
        for field in register.fields:
            place = f"{name}_{field.name.upper()}"
            told |= {f"{place}_SHIFT": field.low, f"{place}_MASK": field.mask}
            if register.name in table.constants:
                told[f"{place}_VALUE"] = field.value
    told |= {f"ERROR_CAUSE_{name.upper()}": n for n, name in enumerate(ERROR_CAUSES)}
    told |= {f"ROUNDING_{name.upper()}": n for n, name in enumerate(descriptors.ROUNDINGS)}
    told |= {f"BESIDE_{name.upper()}": 1 << n for n, name in enumerate(descriptors.UNITS)}
    for operation in operations(config):
        told[f"OP_{operation.name.upper()}"] = operation.code
        for field in operation.fields:
            place = f"{'ANY' if field.name in COMMON else operation.name}_{field.name}".upper()
            told |= {f"{place}_WORD": field.word, f"{place}_SHIFT": field.low}
            told |= {f"{place}_MASK": field.mask, f"NUMBER(GUARD_{place})": field.number}
    return told


@every_engine
def test_numbers_are_the_maps(config, build):
    told = numbers(config)
    lines = [f'  printf("%lu\\n", (unsigned long)(GUARD_{name}));' for name in told]
    body = "\n".join(lines)
    program = build(config, f"#include <stdio.h>\nint main(void)\n{{\n{body}\n  return 0;\n}}\n")
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert dict(zip(told, map(int, printed.split()), strict=True)) == told


def test_fields_of_words(build):
    source = """
int main(void)
{
  const uint32_t word = GUARD_PUT(GUARD_ERROR_CAUSE, 3) | GUARD_PUT(GUARD_ERROR_FIELD, 0x1ffff);
  struct pre_descriptor one;
  int good = word == 0xffff0003u && GUARD_GET(word, GUARD_ERROR_FIELD) == 0xffffu;
  pre_begin_run(&one);
  good = good && pre_run_vectors(&one, 200u) == 0 && GUARD_FIELD(&one, GUARD_RUN_VECTORS) == 200u;
  good = good && pre_matches(0x43494d45u, GUARD_VERSION_VERSION_VALUE, GUARD_HASH_DIGEST_VALUE);
  good = good && !pre_matches(0u, GUARD_VERSION_VERSION_VALUE, GUARD_HASH_DIGEST_VALUE);
  good = good && !pre_matches(0x43494d45u, 0u, GUARD_HASH_DIGEST_VALUE);
  good = good && !pre_matches(0x43494d45u, GUARD_VERSION_VERSION_VALUE, 0u);
  good = good && sizeof(struct pre_channel) == 16u && sizeof one == 64u;
  return good ? 0 : 1;
}
"""
    program = build(ENGINES["plain"], source, prefix="Npu")
    assert subprocess.run([program], check=False).returncode == 0


def exports(config: EngineConfig) -> str:
    """A function that can be called from outside for each of the header's that sets fields."""
    lines = ["#ifdef __cplusplus", 'extern "C" {', "#endif"]
    for operation in operations(config):
        own = f"begin_{operation.name}"
        lines += [f"void x_{own}(struct pre_descriptor *d);"]
        lines += [f"void x_{own}(struct pre_descriptor *d) {{ pre_{own}(d); }}"]
        for field in operation.fields[1:]:
            name = setter(operation.name, field)
            kind = "int32_t" if field.least < 0 else "uint32_t"
            head = f"int x_{operation.name}_{field.name}(struct pre_descriptor *d, {kind} v)"
            lines += [f"{head};", f"{head} {{ return pre_{name}(d, v); }}"]
    return "\n".join([*lines, "#ifdef __cplusplus", "}", "#endif", ""])


def setter(operation: str, field: DescriptorField) -> str:
    """The header's function for a field."""
    return f"set_{field.name}" if field.name in COMMON else f"{operation}_{field.name}"


def legal(rng: random.Random, field: DescriptorField) -> int:
    """A value of a field."""
    values = range(field.least, field.most + 1, field.step)
    return rng.choice((values[0], values[-1], rng.choice(values)))


def illegal(field: DescriptorField) -> list[int]:
    """Values beside its range that the C type holds."""
    low, high = (-(1 << 31), (1 << 31) - 1) if field.least < 0 else (0, (1 << 32) - 1)
    beside = [field.least - 1, field.most + 1, field.most + field.step, low, high]
    beside += [field.least + part for part in (1, field.step // 2, field.step - 1)]
    return [v for v in beside if low <= v <= high and not _fits(field, v)]


def _fits(field: DescriptorField, value: int) -> bool:
    return field.least <= value <= field.most and value % field.step == 0


@every_engine
def test_descriptors_are_packed_as_python_packs_them(config, build):
    library = ctypes.CDLL(build(config, exports(config), "-shared", "-fPIC"))
    rng, refused = random.Random(SEED), 0
    print(f"seed {SEED}")
    for operation in operations(config):
        for _ in range(20):
            words = Words(*(rng.getrandbits(32) for _ in range(16)))
            getattr(library, f"x_begin_{operation.name}")(words)
            assert [*words] == pack_descriptor(config, operation.name, {})
            values = {}
            for field in rng.sample(operation.fields[1:], len(operation.fields) - 1):
                call = getattr(library, f"x_{operation.name}_{field.name}")
                call.argtypes = [
                    ctypes.c_void_p,
                    ctypes.c_int32 if field.least < 0 else ctypes.c_uint32,
                ]
                values[field.name] = legal(rng, field)
                assert call(words, values[field.name]) == 0
                packed = pack_descriptor(config, operation.name, values)
                assert [*words] == packed
                for value in illegal(field):
                    refused += 1
                    assert call(words, value) == -1, (field, value)
                assert [*words] == packed
    assert refused > 1000


BROKEN = {  # an operation, values that break the rule of the field named, in a "plain" engine
    ("load", "rows"): {"first": 9, "rows": 8},
    ("copy", "lines"): {"channels": 1, "lines": 2},
    ("copy", "count"): {"channels": 1, "target": 250, "count": 7},
    ("copy", "target"): {"target": 6},
    ("run", "vectors"): {"sums": 255, "vectors": 2},
    ("run", "skip"): {"segment": 4, "skip": 4},
    ("run", "skip_x"): {"segments_x": 3, "skip_x": 3},
    ("run", "skip_y"): {"segments_y": 3, "skip_y": 3},
    ("store", "vectors"): {"sums": 250, "vectors": 7},
    ("store", "outputs"): {"first": 3, "outputs": 6},
    ("store", "channel"): {"channel": 250, "outputs": 7},
    ("store", "highest"): {"lowest": 5, "highest": 4},
}
MENDED = {
    "rows": 7, "lines": 1, "count": 6, "target": 8, "vectors": 1, "skip": 3, "skip_x": 2,
    "skip_y": 2, "outputs": 5, "channel": 249, "highest": 5,
}  # fmt: skip


def test_the_rules_told_are_those_that_are_checked():
    config = ENGINES["plain"]
    told = {(name, field) for name, rules in field_rules(config).items() for field, _ in rules}
    assert told == {*BROKEN}
    for (name, field), values in BROKEN.items():
        with pytest.raises(DescriptorError) as refused:
            check_descriptor(config, pack_descriptor(config, name, values))
        assert refused.value.field == field
        more = {"segment": 4} if name == "run" else {}
        check_descriptor(
            config, pack_descriptor(config, name, more | values | {field: MENDED[field]})
        )
    known = set()
    for name in OPERATIONS[1:]:
        for channels in (0, 1):
            values = {f.name: 0 for f in operations(config)[OPERATIONS.index(name)].fields}
            rules = descriptors._rules(config, name, values | {"channels": channels})
            known |= {(name, field) for field, _ in rules}
    assert known == told


@every_engine
def test_the_document_tells_every_register_and_field(config):
    text = engine_files(config)[f"{config.module}.md"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    table = EngineMap(config)
    for register in table.registers():
        assert [f"0x{register.offset:02x}", register.name, register.access] in [r[:3] for r in rows]
        reset = f"0x{register.constant:x}" if register.constant else "0"
        assert [reset, register.meaning] in [r[3:] for r in rows]
    sections = {part.split()[0]: part for part in text.split("### ")[1:]}
    for operation in operations(config):
        for field in operation.fields[3:]:
            bits = f"{field.low + field.width - 1}:{field.low}" if field.width > 1 else field.low
            assert f"| {field.word} | {bits} | {field.name} |" in sections[operation.name]
    assert ("; not used" in text) == (not config.weight_zeros)
