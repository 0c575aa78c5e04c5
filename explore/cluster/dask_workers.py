"""Workers behind a Dask scheduler: who may work is asked, who dies is replaced."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType, TracebackType
from typing import Any, Self

from cimforge.explore.cluster.carried_paths import Packer
from cimforge.explore.cluster.spread_tasks import spread
from cimforge.explore.cluster.task_pool import run_task, store_contents
from cimforge.explore.cluster.worker_report import own_release, worker_report
from cimforge.explore.workers import Tasks
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.install_hint import install_hint

__all__ = ["DaskWorkers", "Member"]

CONNECT_S = 10  # until a scheduler must answer
PATIENCE_S = 60  # for a worker, where there is none
LOOK_S = 1.0  # between two looks who is there
RETRIES = 3  # of a task whose process ended


@dataclass
class Member:
    """A worker that may work: its threads, what it lacks by need, and the contents it has."""

    threads: int
    lacks: dict[str, str]
    contents: set[str] = field(default_factory=set)


class DaskWorkers:
    """A Crew of all workers of the scheduler at ``address``, those that come later too.

    A worker with another text of this package, or other releases, is refused. What a worker that
    dies had to do is done by others. ``patience`` is how many seconds it waits for a worker where
    there is none.
    """

    def __init__(self, address: str, announce: Callable[[str], None], patience: float = PATIENCE_S):
        self.address, self.patience, self._announce = address, patience, announce
        self.jobs = 0
        self.packer = Packer()
        self.members: dict[str, Member] = {}
        self._refused: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._fit: dict[tuple[str, ...], list[str]] = {}
        self._given: set[str] = set()  # contents that every member has
        self._next_look = 0.0
        self._client: Any = None

    def __enter__(self) -> Self:
        distributed = _distributed(self.address)
        try:
            self._client = distributed.Client(
                self.address, timeout=CONNECT_S, set_as_default=False, name="cimforge"
            )
        except (OSError, ValueError) as error:
            cause = "" if isinstance(error, OSError) else f" ({error})"
            rule = f"no scheduler answers there{cause}; start one: dask scheduler"
            raise InputError(f"--cluster {self.address}: {rule}") from None
        try:
            self.wait_for(())
        except BaseException:
            self._client.close(timeout=1)
            raise
        self.jobs = sum(member.threads for member in self.members.values())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(Exception):  # a scheduler that has gone is no reason to hide ``failure``
            self._client.close(timeout=2)

    def each(
        self, function: Callable[..., Any], tasks: Tasks, needs: Sequence[str] = ()
    ) -> Iterator[tuple[Any, Any]]:
        """As Crew.each."""
        return spread(self, function, tasks, tuple(needs))

    def submit(
        self, payload: bytes, digests: Sequence[str], needs: tuple[str, ...], key: str
    ) -> tuple[Any, frozenset[str]]:
        """A future of the Answer, and who may take the task: where all workers are fit anyone
        (empty), also one that comes later and proves fit itself; else those that are."""
        fit = self.fit(needs)
        self._give(fit, digests)
        everyone = len(fit) == len(self.members) and not self._refused
        future = self._client.submit(
            run_task,
            *(own_release(), needs, tuple(digests), payload),
            key=key,
            pure=False,
            retries=RETRIES,
            workers=None if everyone else fit,
        )
        return future, frozenset() if everyone else frozenset(fit)

    def cancel(self, futures: Sequence[Any]) -> None:
        """Give tasks up; what has begun ends by itself."""
        if futures:
            with suppress(Exception):  # of a scheduler that has gone there is nothing to cancel
                self._client.cancel(list(futures), force=True)

    def fit(self, needs: tuple[str, ...]) -> list[str]:
        """Addresses of the workers that have all that is needed."""
        if needs not in self._fit:
            able = (a for a, m in self.members.items() if not m.lacks.keys() & {*needs})
            self._fit[needs] = list(able)
        return self._fit[needs]

    def threads(self, needs: tuple[str, ...]) -> int:
        """Tasks that those do at once."""
        return sum(self.members[address].threads for address in self.fit(needs))

    def wait_for(self, needs: tuple[str, ...]) -> None:
        """Wait until a worker is there. Raises InputError where all that are there lack what is
        needed or are refused, and where none comes."""
        begun = time.monotonic()
        waited = False
        while True:
            self.look()
            self._say_lacks(needs)
            if self.fit(needs):
                return
            if self.members:
                why = next(m.lacks[n] for m in self.members.values() for n in needs if n in m.lacks)
                raise InputError(f"--cluster {self.address}: none of its workers can: {why}")
            if time.monotonic() - begun > self.patience:
                raise InputError(f"--cluster {self.address}: {self._nobody()}")
            if not waited:
                self._announce(f"waiting for a worker of {self.address}")
            waited = True
            time.sleep(min(0.1, self.patience))
            self._next_look = 0.0

    def look(self) -> None:
        """See who has come and who has gone. Raises InputError where the scheduler has gone."""
        if time.monotonic() < self._next_look:
            return
        try:
            if self._client.status != "running":
                raise OSError
            threads = self._client.nthreads()
            new = [a for a in threads if a not in self.members and a not in self._refused]
            reports = self._asked(new) if new else {}
        except (OSError, TimeoutError):
            rule = "its scheduler is lost; what was finished is kept: run the command again"
            raise InputError(f"--cluster {self.address}: {rule}") from None
        self._next_look = time.monotonic() + LOOK_S
        for gone in self.members.keys() - threads.keys():
            del self.members[gone]
            self._fit.clear()
            self._announce(f"worker {gone} has gone; others do its work")
        for address in self._refused.keys() - threads.keys():
            del self._refused[address]
        for address, report in reports.items():
            self._admit(address, threads[address], report)

    def look_again(self) -> None:
        """A worker did not begin a task: see at once who is there, and send contents again."""
        self._given.clear()
        for member in self.members.values():
            member.contents.clear()
        self._next_look = 0.0

    def _asked(self, addresses: list[str]) -> dict[str, Any]:
        return self._client.run(
            worker_report, own_release(), workers=addresses, on_error="return", nanny=False
        )

    def _admit(self, address: str, threads: int, report: Any) -> None:
        if isinstance(report, OSError):
            return  # it has gone meanwhile
        why, lacks = ("", {}) if isinstance(report, Exception) else report
        if isinstance(report, Exception):
            why = f"it has no cimforge like this one ({report!r}); install it there"
        if why:
            self._refused[address] = why
            self._announce(f"worker {address} is refused: {why}")
        else:
            self.members[address] = Member(threads, lacks)
            self._fit.clear()
            self._given.clear()

    def _say_lacks(self, needs: Sequence[str]) -> None:
        for address, member in self.members.items():
            for need in needs:
                if need in member.lacks and (address, need) not in self._told:
                    self._told.add((address, need))
                    self._announce(f"worker {address} gets none of this: {member.lacks[need]}")

    def _nobody(self) -> str:
        if self._refused:
            return f"all its workers are refused: {next(iter(self._refused.values()))}"
        return f"no worker within {self.patience:g} s; start some: dask worker {self.address}"

    def _give(self, fit: Sequence[str], digests: Sequence[str]) -> None:
        """Send contents to those who do not have them."""
        wanted = set(digests) - self._given
        if not wanted:
            return
        lacking = [a for a in fit if wanted - self.members[a].contents]
        contents = {digest: self.packer.contents[digest] for digest in sorted(wanted)}
        if lacking:
            with suppress(OSError, TimeoutError):  # one that has gone: the next look sees that
                self._client.run(
                    store_contents, contents, workers=lacking, on_error="ignore", nanny=False
                )
        for address in lacking:
            self.members[address].contents |= wanted
        if len(fit) == len(self.members):
            self._given |= wanted


def _distributed(address: str) -> ModuleType:
    """Dask's package, with its messages silenced: what matters is told in one line here."""
    try:
        import distributed
    except ImportError as error:
        hint = install_hint("cluster")
        raise InputError(f"--cluster {address}: needs {error.name}; run {hint}") from None
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"distributed(\..*)?")
    return distributed
