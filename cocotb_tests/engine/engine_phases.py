"""What an engine is doing in a cycle, by the lines that bare_design shows."""

from collections.abc import Sequence

__all__ = ["phases"]

ORDER = ("idle", "next", "compare", "verdict", "offer", "drain")
STORE = ("idle", "prepare", "settle", "fetch", "ones", "groups", "drain")


def phases(dut, labels: Sequence[str]) -> set[str]:
    """The phases of the queue and its units in this cycle, of a queue whose descriptors are called
    ``labels`` and begin one after the other: so what a unit has under way is the last of those
    that have been handed out."""
    engine = dut.engine
    at = int(engine.queue.at.value)
    label = labels[min(at, len(labels)) - 1] if at else ""
    found = {f"{label}: {doing}" for doing in (*_fetch(engine), *_run(engine), *_store(engine))}
    order = ORDER[int(engine.queue.order_state.value)]
    if order == "offer":
        found.add(f"{order} {labels[at]}")
    elif order == "drain" and int(engine.queue.errors_failing.value):
        found.add("drain after an error")
    else:
        found.add(order)
    return found


def _high(unit, **told: str) -> list[str]:
    """The words that are told of lines that are high."""
    return [word for name, word in told.items() if int(getattr(unit, name).value)]


def _fetch(engine) -> list[str]:
    if not int(engine.fetch.busy.value):
        return []
    told = {"read_valid": "asks", "read_data_valid": "words", "w_valid": "row", "failed": "failed"}
    return _high(engine.fetch, **told) or ["waits"]


def _run(engine) -> list[str]:
    doing = _high(engine.run, starved="gathers", x_valid="offers")
    return doing if doing or int(engine.run.idle.value) else ["awaits results"]


def _store(engine) -> list[str]:
    state = STORE[int(engine.store.sequencer_state.value)]
    if state == "idle":
        return []
    told = {"write_valid": "asks", "write_data_valid": "words", "failed": "failed"}
    return [state, *_high(engine.store, **told)]
