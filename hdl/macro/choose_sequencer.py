"""Which sequencer a macro has."""

from cimforge.hdl.macro.overlapped_sequencer import OverlappedSequencer
from cimforge.hdl.macro.sequencer import Sequencer
from cimforge.hdl.macro.table_sequencer import TableSequencer
from cimforge.hdl.params.config import MacroConfig

__all__ = ["build_sequencer"]


def build_sequencer(config: MacroConfig) -> Sequencer:
    """The sequencer of a macro, of tables or not, with registers for results or without."""
    if config.keeps_results:
        return OverlappedSequencer(config)
    return (TableSequencer if config.tables else Sequencer)(config)
