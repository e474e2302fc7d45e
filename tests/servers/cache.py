"""The cache folder outside the repository: downloaded programs and ready-made data folders.

The folder is $SLUICE_CACHE, else $XDG_CACHE_HOME/sluice-tests, else ~/.cache/sluice-tests. Entries that a program
under another account uses (see account.py) are `shared`: when root has not set $SLUICE_CACHE they lie in
/var/cache/sluice-tests, because nobody else can enter /root. Each entry is built once in a scratch folder and
renamed into place, so an interrupted build leaves nothing that looks finished; a lock file keeps two test runs from
building the same entry.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path


def cache_dir(shared: bool = False) -> Path:
    """The cache folder, created when missing."""
    if os.environ.get("SLUICE_CACHE"):
        path = Path(os.environ["SLUICE_CACHE"])
    elif shared and os.geteuid() == 0:
        path = Path("/var/cache/sluice-tests")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        path = Path(base) / "sluice-tests"
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)  # whatever the umask is
    return path.resolve()


@contextlib.contextmanager
def _lock(path: Path):
    """Hold the lock file; waits for another holder."""
    with open(path, "w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def cached(name: str, build, *, shared: bool = False) -> Path:
    """The folder `name` of the cache; `build(scratch)` fills it the first time."""
    base = cache_dir(shared)
    final = base / name
    if final.is_dir():
        return final
    with _lock(base / f"{name}.lock"):
        if final.is_dir():
            return final
        scratch = base / f"{name}.building"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            build(scratch)
            scratch.rename(final)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return final


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder, sharing blocks where the file system can; OSError says what cp said."""
    argv = ["cp", "-a", "--reflink=auto", "--sparse=always", f"{source}/.", str(target)]
    done = subprocess.run(argv, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or [f"cp ended with {done.returncode}"]
        raise OSError(f"cannot copy {source} to {target}: {words[-1]}")
