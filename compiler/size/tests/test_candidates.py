"""The candidates, and what comes with the package: current, and of all of them."""

from pathlib import Path

import pytest

from cimforge.compiler.size.candidates import candidates, kept_figures
from cimforge.flow.measured_macro import content_key
from cimforge.hdl.emit.package import emit_macro
from cimforge.hdl.params.errors import ConfigError

SG13G2 = Path(__file__).parents[3] / "flow" / "tests" / "data" / "sg13g2_typ.lib.gz"
AGAIN = "cimforge size --liberty flow/tests/data/sg13g2_typ.lib.gz --keep FILE"


def test_every_candidate_has_figures_that_are_not_stale(tmp_path):
    figures = {each.config.digest: each for each in kept_figures()}
    assert set(figures) == {config.digest for config in candidates(8, 8)}
    for config in candidates(8, 8):
        emit_macro(config, tmp_path / config.module)
        key = content_key(config, tmp_path / config.module, [SG13G2])
        assert figures[config.digest].key == key, f"{config.module} is stale: {AGAIN}"


def test_figures_are_plausible():
    """A bank more is area more; ranks shorten the period; an operand holds what it says."""
    for each in kept_figures():
        config = each.config
        per_bit = each.area / (config.rows * config.cols * config.weight_bits * config.banks)
        assert 15 < per_bit < 400
        assert each.period
        assert 1 < each.period < 15


def test_candidates_of_other_widths():
    for config in candidates(4, 2):
        assert (config.weight_bits, config.input_bits) == (4, 2)
        assert config.bits_per_cycle in (1, 2)
    with pytest.raises(ConfigError, match="weight_bits"):
        candidates(17, 8)
