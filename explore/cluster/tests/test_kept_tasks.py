"""Results that outlive a run that was cut off."""

import pytest

from cimforge.explore.cluster import kept_tasks
from cimforge.explore.cluster.kept_tasks import KeptTasks
from cimforge.explore.workers import Workers


def half(number: int) -> dict:
    if number == 3:
        raise KeyboardInterrupt
    return {"half": number / 2}


def run(kept: KeptTasks, numbers, crew=None) -> dict:
    tasks = ((number, ["half", number], (number,)) for number in numbers)
    return dict(kept.each(crew or Workers(1), half, tasks))


class Nobody:
    """A crew that must not be asked for anything."""

    def each(self, function, tasks, needs=()):
        assert list(tasks) == []
        return iter(())


def test_a_run_that_is_cut_off_goes_on(tmp_path):
    kept = KeptTasks(tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        run(kept, range(5))
    assert run(kept, range(3), Nobody()) == {number: {"half": number / 2} for number in range(3)}
    next(kept.folder.glob("*.json")).write_text('{"cut o')
    with pytest.raises(AssertionError):
        run(kept, range(3), Nobody())
    kept.forget()
    assert not kept.folder.exists()


def test_results_of_other_text_are_not_taken(tmp_path, monkeypatch):
    kept = KeptTasks(tmp_path / "kept")
    run(kept, range(2))
    monkeypatch.setattr(kept_tasks, "own_release", lambda: {"cimforge": "another"})
    with pytest.raises(AssertionError):
        run(kept, range(2), Nobody())
