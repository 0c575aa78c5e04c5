"""The score of a set of mutants."""

from collections import Counter


class Score:
    def __init__(self, seed, simulator):
        self.trials = []

    def add(self, trial, folder):
        self.trials.append(trial)

    @property
    def passed(self):
        return True

    def text(self):
        c = Counter((t.subject, t.outcome) for t in self.trials)
        out = [f"{k} {n}" for k, n in sorted(c.items())]
        out += [str(sorted(Counter((t.subject, t.by.split("/")[0]) for t in self.trials).items()))]
        for t in self.trials:
            if t.outcome == "survived" and t.mutation:
                m = t.mutation
                out.append(
                    f"{t.subject} {m.mode} {m.module} {m.cell} {m.port}[{m.bit}] c{m.control} {m.wire} {m.line}"
                )
        return "\n".join(out)
