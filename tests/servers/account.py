"""The account of programs that refuse to run as root, such as postgres and initdb.

Where we are root (CI, containers, a chroot: no user namespaces needed) they run as nobody, through setpriv(1);
else they run as we do and everything here does nothing.
"""

import grp
import os
import pwd
import stat
from pathlib import Path

_NAME = "nobody"


def _ids() -> tuple[int, int] | None:
    """User and group id of the account; None when we are not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(_NAME)
    return entry.pw_uid, entry.pw_gid


def setpriv_options() -> list[str]:
    """Options with which setpriv takes on the account; none when we are not root."""
    ids = _ids()
    return [f"--reuid={ids[0]}", f"--regid={ids[1]}", "--clear-groups"] if ids else []


def command(argv: list[str]) -> list[str]:
    """The command, to be run under the account."""
    options = setpriv_options()
    return ["setpriv", *options, "--", *argv] if options else argv


def give(path: Path) -> None:
    """Make the account the owner of a file or folder."""
    ids = _ids()
    if ids:
        os.chown(path, *ids)


def let_in(folder: Path) -> None:
    """Let the account, and nobody else, enter a private folder of ours; its names stay hidden."""
    ids = _ids()
    if ids:
        os.chown(folder, -1, ids[1])
        folder.chmod(0o710)


def barrier(folder: Path) -> str:
    """Why the account cannot enter the folder, and what to do; empty when it can."""
    ids = _ids()
    for path in (folder, *folder.parents) if ids else ():
        state = path.stat()
        bit = (stat.S_IXUSR if state.st_uid == ids[0]
               else stat.S_IXGRP if state.st_gid == ids[1] else stat.S_IXOTH)
        if not state.st_mode & bit:
            group = grp.getgrgid(ids[1]).gr_name
            return (f"it runs as {_NAME} when started by root, who cannot enter {path}; use another "
                    f"folder, or: chgrp {group} {path} && chmod g+x {path}")
    return ""
