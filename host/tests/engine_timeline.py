"""When the commands of a plan begin and end: the queue's rules as events, words as cycles."""

from math import ceil

from cimforge.host.engine_plan import EnginePlan

__all__ = ["timeline"]

HANDED = 6  # cycles from one descriptor to the next
ANSWER = 6  # of memory, and of a fetch beside its words
WAY = 12  # of a vector to the macro
STORED = 30  # of a store beside its vectors


def timeline(plan: EnginePlan) -> int:
    """Cycles from start to interrupt. Descriptors travel between the words that the fetch unit asks
    for, and keep these waiting; one command is under way in fetch and store, any number in run,
    which hands over one vector after the other.
    """
    config, macro = plan.config, plan.config.macro
    words = 64 // config.bus_bytes
    cycles, row_words = macro.fill_cycles if macro.grouped else macro.write_cycles, config.row_words
    rows = [max(row_words, cycles(row)) for row in range(macro.rows)]
    now, ends = words + HANDED, {"fetch": [0], "run": [0], "store": [0]}
    gathered, loaded, bank_free, waiting = 0, {}, {}, 0
    for name, fields in plan.commands:
        unit = {"load": "fetch", "copy": "fetch"}.get(name, name)
        now, waiting = now + HANDED, waiting + words
        for bit, other in enumerate(ends):
            allowed = 1 if fields["beside"] >> bit & 1 else 0
            allowed = 0 if other == unit and unit != "run" else allowed
            now = max(now, sorted(ends[other])[-1 - allowed] if len(ends[other]) > allowed else 0)
        if name == "run":
            now = max(now, loaded.get(fields["bank"], 0))
            interval = macro.pass_interval(fields["bits"], bool(fields["signed"]))
            gathered = max(now + WAY, gathered) + fields["vectors"] * interval
            bank_free[fields["bank"]] = gathered
            end = gathered + macro.latency(fields["bits"], bool(fields["signed"])) - interval
        elif unit == "fetch":
            size = fields.get("count", 0) * (16 if fields.get("channels") else 1)
            taken = ceil(size / config.bus_bytes) * fields.get("lines", 1)
            if name == "load":
                taken, now = sum(rows[: fields["rows"]]), max(now, bank_free.get(fields["bank"], 0))
                loaded[fields["bank"]] = now + taken + waiting + ANSWER
            end, waiting = now + taken + waiting + ANSWER, 0
        else:
            size = config.lanes * plan.image.tiling.shape.result_bytes / config.bus_bytes
            each = ceil(fields["outputs"] / config.lanes) * max(1, size) + 1 + config.weight_zeros
            end = now + fields["vectors"] * each + STORED
        ends[unit] = [*ends[unit], end][-2:]
    return ceil(max(map(max, ends.values())))
