"""MySQL's own programs, from Debian unstable.

Everything that mysql-server-core and mysql-client-core need, C library included, is unpacked into one folder of the
cache and runs through that folder's own dynamic loader.
"""

import re
import shutil
from pathlib import Path

from .cache import cached
from .debian import Archive, Unavailable, run

SUITE = "sid"
PACKAGES = ["mysql-server-core", "mysql-client-core"]
_NOT_NEEDED = ["usr/share/doc", "usr/share/man", "usr/share/perl", "usr/share/locale",
               "usr/share/lintian", "usr/lib/*/perl", "usr/lib/*/perl-base", "usr/lib/*/libperl*"]


def _download(folder: Path) -> None:
    with Archive("MySQL", SUITE, folder) as archive:
        archive.unpack(PACKAGES, with_dependencies=True)
    for pattern in _NOT_NEEDED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    text = run("MySQL", [*program(folder, "mysqld"), "--no-defaults", "--version"])
    version = re.search(r"Ver (\d+\.\d+\.\d+)", text)
    if version is None:
        raise Unavailable(f"MySQL was downloaded but does not run: {text}")
    (folder / "VERSION").write_text(version.group(1) + "\n", encoding="ascii")


def mysql_root() -> Path:
    """The folder with MySQL's programs; downloaded the first time (about 65 MB)."""
    return cached(f"mysql-{SUITE}", _download)


def version(root: Path) -> str:
    """Version of the downloaded server, such as 9.7.4."""
    return (root / "VERSION").read_text(encoding="ascii").strip()


def program(root: Path, name: str) -> list[str]:
    """Command that runs a MySQL program of the folder; arguments follow."""
    loaders = sorted(root.glob("usr/lib/*/ld-linux-*.so.*"))
    paths = [root / "usr" / d / name for d in ("sbin", "bin") if (root / "usr" / d / name).is_file()]
    if not loaders or not paths:
        raise Unavailable(f"{root} holds no program {name}; remove the folder to download it again")
    return [str(loaders[0]), "--library-path", str(loaders[0].parent), str(paths[0])]
