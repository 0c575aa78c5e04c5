"""When the commands of a plan begin and end: the queue's rules as events, words as cycles."""

from math import ceil

from cimforge.host.engine_plan import EnginePlan

__all__ = ["timeline"]

HANDED = 6  # cycles from one descriptor to the next
ANSWER = 4  # of memory, and of a fetch beside its words
WAY = 12  # of a vector beside its pass, and of a command's end


def timeline(plan: EnginePlan) -> int:
    """Cycles from start to interrupt. Descriptors travel with the words that the fetch unit asks
    for; one command is under way in fetch and store, any number in run, which hands over one
    vector after the other."""
    config, macro = plan.config, plan.config.macro
    words = 64 // config.bus_bytes
    cycles, row_words = macro.fill_cycles if macro.grouped else macro.write_cycles, config.row_words
    rows = [max(row_words, cycles(row)) for row in range(macro.rows)]
    now, ends = words + HANDED, {"fetch": [0], "run": [0], "store": [0]}
    gathered, loaded, bank_free = 0, {}, {}
    for name, fields in plan.commands:
        unit = {"load": "fetch", "copy": "fetch"}.get(name, name)
        now += HANDED
        for bit, other in enumerate(ends):
            named = fields["beside"] >> bit & 1
            now = max(now, sorted(ends[other])[-2:][0] if named and len(ends[other]) > 1 else now)
            now = now if named else max(now, *ends[other])
        now = now if unit == "run" else max(now, *ends[unit])
        if name == "run":
            now = max(now, loaded.get(fields["bank"], 0))
            interval = macro.pass_interval(fields["bits"], bool(fields["signed"]))
            gathered = max(now + WAY, gathered) + fields["vectors"] * interval
            bank_free[fields["bank"]] = gathered
            end = gathered + macro.latency(fields["bits"], bool(fields["signed"])) - interval
        elif name == "load":
            now = max(now, bank_free.get(fields["bank"], 0))
            end = loaded[fields["bank"]] = now + sum(rows[: fields["rows"]]) + words + ANSWER
        elif name == "copy":
            size = fields["count"] * (16 if fields.get("channels") else 1)
            end = now + ceil(size / config.bus_bytes) * fields.get("lines", 1) + words + ANSWER
        else:
            size = fields["outputs"] * plan.image.tiling.shape.result_bytes
            most = max(ceil(fields["outputs"] / config.lanes), ceil(size / config.bus_bytes) + 1)
            end = now + fields["vectors"] * most + WAY
        ends[unit] = [*ends[unit], end][-2:]
    return max(map(max, ends.values()))
