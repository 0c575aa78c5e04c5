"""Runs the case beside this file: python reproduce.py [verilator|icarus]; status 1 if it fails."""

import json
import sys
from pathlib import Path

from cimforge.flow.simulate.simulator import SIMULATORS, Design, build, run_tests
from cimforge.hdl.params.config import MacroConfig

HERE = Path(__file__).resolve().parent


def main(simulator: str) -> int:
    """0 where the results are right."""
    case = json.loads((HERE / "case.json").read_text())
    config = MacroConfig(**case["config"])
    sources = [str(HERE / "verilog" / name) for name in case["sources"]]
    design = Design(config, HERE, tuple(sources), case["top"], tuple(case["ports"]))
    build(design, simulator)
    sys.path.insert(0, str(HERE))
    results = HERE / "run"
    ending = run_tests(design, simulator, ["reproduce_suite"], results, job={})
    told = results / "results.xml"
    right = told.exists() and "<failure" not in told.read_text() and not ending
    print("the results are right" if right else f"DIFFERS: {results / 'sim.log'} tells where")
    return int(not right)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else SIMULATORS[0]))
