"""What a regression of an engine must have met, counted over all of its tests in a process."""

from collections.abc import Hashable, Iterable
from pathlib import Path

from cimforge.cocotb_tests.coverage import Coverage
from cimforge.cocotb_tests.engine.engine_job import job_engine
from cimforge.cocotb_tests.engine.program_draw import Descriptor
from cimforge.flow.simulate.job import load_job
from cimforge.hdl.params.descriptors import ROUNDINGS
from cimforge.hdl.params.engine_config import EngineConfig

__all__ = ["ENGINE_COVERAGE", "engine_bins", "kind_of_command"]


def engine_bins(config: EngineConfig) -> dict[str, list[Hashable]]:
    """The bins of each group, all of which any engine of ``config`` can hit."""
    loads = ["load", *(["load, filling"] if config.macro.grouped else [])]
    copies, stores = ["copy", "copy of channels"], ["store of sums", "store", "store, wide"]
    runs = ["run", "run, adding", "run of patches"]
    modes = range(len(config.modes))
    return {
        "command": [*loads, *copies, *runs, *stores, "end"],
        "rounding": list(ROUNDINGS),
        "mode": [f"load in mode {mode}" for mode in modes] if len(modes) > 1 else [],
        "beside": [*range(8)],
        "error": ["descriptor", "read", "write", "channel"],
    }


def kind_of_command(name: str, fields: dict[str, int]) -> str:
    """The bin of a descriptor."""
    if name == "load":
        return "load, filling" if fields.get("fill") else "load"
    if name == "copy":
        return "copy of channels" if fields.get("channels") else "copy"
    if name == "run":
        patches = fields.get("segments_x", 1) * fields.get("segments_y", 1) > 1
        return "run of patches" if patches else "run, adding" if fields["accumulate"] else "run"
    if name == "store":
        wide = ", wide" if fields.get("wide") else ""
        return "store of sums" if fields.get("raw") else f"store{wide}"
    return name


class EngineCoverage:
    """Counts bins, and the queues that were compared with golden."""

    def __init__(self, config: EngineConfig):
        self._coverage = Coverage(engine_bins(config))
        self.queues = 0  # compared with golden

    def meet(self, descriptors: Iterable[Descriptor]) -> None:
        """A queue of these was run."""
        for name, fields in descriptors:
            self._coverage.hit("command", kind_of_command(name, dict(fields)))
            self._coverage.hit("beside", fields.get("beside", 0))
            if name == "store" and not fields.get("raw"):
                self._coverage.hit("rounding", ROUNDINGS[fields["rounding"]])
            if name == "load":
                self._coverage.hit("mode", f"load in mode {fields.get('fuse', 0)}")

    def fail(self, cause: str) -> None:
        """A queue ended with an error."""
        self._coverage.hit("error", cause)

    def missing(self, *groups: str) -> bool:
        """Whether a bin of these groups is to be hit yet."""
        return any(not count for g in groups for count in self._coverage.counts[g].values())

    def save(self, queues: int) -> None:
        """Write what was counted so far; ``queues`` more were compared."""
        self.queues += queues
        self._coverage.save(Path(load_job()["coverage"]), self.queues)


ENGINE_COVERAGE = EngineCoverage(job_engine())
