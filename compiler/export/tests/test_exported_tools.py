"""ZigZag and AccelForge themselves read the files, and count what we count."""

from pathlib import Path

import pytest

from cimforge.compiler.export.accelforge_file import accelforge_text
from cimforge.compiler.export.tests.test_export_files import CONFIG, FULL
from cimforge.compiler.export.zigzag_file import (
    zigzag_imc_text,
    zigzag_mapping_text,
    zigzag_text,
)

VECTORS = 24
MACS = VECTORS * CONFIG.rows * CONFIG.cols
COMPUTING = MACS * 0.8  # pJ
MOVED = CONFIG.rows * CONFIG.cols * 4 + VECTORS * (CONFIG.rows * 8 + CONFIG.cols * 8)  # bits
MEMORY = MOVED * 10  # pJ

ZIGZAG_LAYER = {
    "id": 0,
    "name": "product",
    "operator_type": "Conv",
    "equation": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
    "dimension_relations": ["ix=1*ox+1*fx", "iy=1*oy+1*fy"],
    "loop_dims": ["B", "K", "G", "OX", "OY", "C", "FX", "FY"],
    "loop_sizes": [1, CONFIG.cols, 1, VECTORS, 1, CONFIG.rows, 1, 1],
    "operand_precision": {"O": 32, "O_final": 8, "W": 4, "I": 8},
    "operand_source": {"W": 0, "I": 0},
}

ACCELFORGE_WORKLOAD = f"""workload:
  iteration_space_shape:
    m: 0 <= m < {VECTORS}
    k: 0 <= k < {CONFIG.rows}
    n: 0 <= n < {CONFIG.cols}
  bits_per_value: {{X: 8, W: 4, Y: 8}}
  einsums:
  - name: Product
    tensor_accesses:
    - {{name: X, projection: [m, k]}}
    - {{name: W, projection: [k, n]}}
    - {{name: Y, projection: [m, n], output: True}}
    renames: {{weight: W, input: X, output: Y}}
"""


def test_zigzag_counts_the_same_energy(tmp_path):
    api = pytest.importorskip("zigzag.api", reason="zigzag is missing; pip install zigzag-dse six")
    hardware, mapping = tmp_path / "hardware.yaml", tmp_path / "mapping.yaml"
    hardware.write_text(zigzag_text(FULL, "a test"))
    mapping.write_text(zigzag_mapping_text())
    energy, latency, ((found, _),) = api.get_hardware_performance_zigzag(
        [ZIGZAG_LAYER],
        str(hardware),
        str(mapping),
        dump_folder=str(tmp_path / "out"),
        loma_show_progress_bar=False,
    )
    assert found.mac_energy == pytest.approx(COMPUTING)
    assert energy == pytest.approx(COMPUTING + MEMORY)
    assert VECTORS <= latency <= 2 * VECTORS  # passes, and what loads weights


def test_zigzag_imc_takes_its_file(tmp_path):
    api = pytest.importorskip("zigzag.api", reason="zigzag is missing; pip install zigzag-dse six")
    hardware, mapping = tmp_path / "hardware.yaml", tmp_path / "mapping.yaml"
    one = type(FULL)(CONFIG.model_copy(update={"banks": 1}), None, None, None, FULL.constants)
    hardware.write_text(zigzag_imc_text(one, "a test"))
    mapping.write_text(zigzag_mapping_text())
    _, latency, clock, area, _ = api.get_hardware_performance_zigzag(
        [ZIGZAG_LAYER],
        str(hardware),
        str(mapping),
        in_memory_compute=True,
        dump_folder=str(tmp_path / "out"),
        loma_show_progress_bar=False,
    )
    assert latency >= VECTORS * CONFIG.cycles_per_pass()
    assert clock > 0
    assert area > 0


def test_accelforge_counts_the_same_energy_and_time(tmp_path: Path):
    reason = "accelforge is missing; it needs Python 3.12: pip install accelforge"
    accelforge = pytest.importorskip("accelforge", reason=reason)
    arch, workload = tmp_path / "arch.yaml", tmp_path / "workload.yaml"
    arch.write_text(accelforge_text(FULL, "a test"))
    workload.write_text(ACCELFORGE_WORKLOAD)
    accelforge.set_n_parallel_jobs(1)
    found = accelforge.Spec.from_yaml(str(arch), str(workload)).map_workload_to_arch()
    assert found.energy() == pytest.approx((COMPUTING + MEMORY) * 1e-12)
    assert found.latency() == pytest.approx(VECTORS * 10e-9)
