"""Runs a command as on a machine that has what scripts/check_machine.sh asks for, and no more.

PATH is a folder of links to those programs and to what every Unix system and a C++ compiler bring;
tests read CIMFORGE_BARE and look for no packaged cell library. With --list the programs are
printed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ASKED_FOR = "python3 make g++ perl"
COMPILER = "gcc cc c++ cpp as ld ld.bfd ar nm ranlib strip objcopy objdump readelf collect2"
SYSTEM = """
sh bash dash env cat cp mv rm mkdir rmdir ln ls chmod touch head tail sort uniq cut tr wc tee test
[ true false echo printf expr sed grep egrep awk mawk gawk find xargs dirname basename readlink
realpath mktemp date sleep id uname hostname stat df du cmp diff tar gzip gunzip which getconf nproc
kill ps timeout stty tty seq yes sync ldconfig ldd dd od install comm paste md5sum sha256sum
"""


def link_programs(folder: Path) -> list[str]:
    """Links to the programs that this machine has of the lists; returns their names."""
    found = []
    for name in f"{ASKED_FOR} {COMPILER} {SYSTEM}".split():
        if name == "python3":  # started by its own path, as environments made with it name it
            (folder / name).write_text(f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')
            (folder / name).chmod(0o755)
        elif program := shutil.which(name):
            (folder / name).symlink_to(Path(program).absolute())
        else:
            continue
        found.append(name)
    return found


def main(command: list[str]) -> int:
    """Run the command and return its exit status."""
    with tempfile.TemporaryDirectory(prefix="bare-") as folder:
        names = link_programs(Path(folder))
        if command == ["--list"]:
            print(" ".join(names))
            return 0
        # virtual environments of the caller, and what points at tools, stay outside
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PDK", "VIRTUAL_ENV"))}
        environment = {**kept, "PATH": folder, "CIMFORGE_BARE": "1"}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
