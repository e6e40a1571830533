"""Becomes another program: as the given account, and tied to the life of its parent where the system can do that.

Run as a script, by path, by whichever Python runs the parent: `tether.py PARENT SIGNAL UID GID PROGRAM [ARGUMENT …]`.
A script of its own, because code between fork and exec (preexec_fn) may deadlock a parent that has threads.
Started by the parent's own account, since the other one may not be able to reach this file or its Python.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
NO_PARENT = 0  # as PARENT: do not tie


def main(parent: int, last_signal: int, uid: int, gid: int, program: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python only takes note of it, and execv forgets the note
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if parent != NO_PARENT:
        _end_with(parent, last_signal)  # after setuid, which forgets it
    os.execv(program[0], program)  # noqa: S606  the program is one of the engines, by absolute path


def _end_with(parent: int, last_signal: int) -> None:
    """The kernel sends us `last_signal` when `parent` ends; if it already has, nobody would, so we end here."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, last_signal) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(f"process {parent}, which wanted this engine, has ended")


if __name__ == "__main__":
    parent, last_signal, uid, gid = map(int, sys.argv[1:5])
    main(parent, last_signal, uid, gid, sys.argv[5:])
