"""MySQL's own programs, from Debian unstable, without touching the system.

apt gets a private state (lists, package cache, an empty dpkg status) and one source: this machine's
own Debian mirror with the suite sid, signatures checked by debian-archive-keyring. Everything that
mysql-server-core and mysql-client-core need, C library included, is unpacked into one folder of the
cache and runs through that folder's own dynamic loader.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from .cache import cached

SUITE = "sid"
PACKAGES = ["mysql-server-core", "mysql-client-core"]
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_NOT_NEEDED = ["usr/share/doc", "usr/share/man", "usr/share/perl", "usr/share/locale",
               "usr/share/lintian", "usr/lib/*/perl", "usr/lib/*/perl-base", "usr/lib/*/libperl*"]


class Unavailable(Exception):
    """MySQL cannot be had on this machine; the text names the reason."""


def _run(argv: list[str], **kwargs) -> str:
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True, **kwargs).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"MySQL needs a Debian machine: {error}") from error
    except subprocess.CalledProcessError as error:
        tail = "\n".join((error.stdout + error.stderr).splitlines()[-8:])
        raise Unavailable(f"MySQL cannot be downloaded: {' '.join(argv)} failed:\n{tail}") from error


def debian_mirror() -> str:
    """Base address of the Debian archive that this machine's apt uses."""
    found = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                  "Origin: Debian", "Label: Debian"]).split()
    if not found:  # before the first apt-get update apt knows addresses only, not origins
        plan = _run(["apt-get", "-q", "-o", "Debug::NoLocking=true", "--print-uris", "update"])
        bases = re.findall(r"^'([^']+)/dists/[^']+/InRelease'", plan, re.MULTILINE)
        found = [base for base in bases if urlsplit(base).path.endswith("/debian")]
    if not found:
        raise Unavailable("MySQL cannot be downloaded: apt has no source of Debian packages")
    return found[0]


def _apt_config(state: Path) -> Path:
    for folder in ("lists/partial", "archives/partial", "parts"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    if not KEYRING.is_file():
        raise Unavailable(f"MySQL cannot be downloaded: {KEYRING} is missing; "
                          "install debian-archive-keyring")
    source = f"deb [signed-by={KEYRING}] {debian_mirror()} {SUITE} main\n"
    (state / "sources.list").write_text(source, encoding="utf-8")
    settings = {
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": state / "parts",
        "Dir::Etc::Preferences": state / "preferences",
        "Dir::Etc::PreferencesParts": state / "parts",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::Archives": state / "archives",
        "APT::Install-Recommends": "false",
        "APT::Get::AllowUnauthenticated": "false",
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    if os.geteuid() == 0:  # apt's own user cannot enter a private cache folder
        settings["APT::Sandbox::User"] = "root"
    config = state / "apt.conf"
    config.write_text("".join(f'{k} "{v}";\n' for k, v in settings.items()), encoding="utf-8")
    return config


def _download(folder: Path) -> None:
    state = folder / "apt"
    env = {**os.environ, "APT_CONFIG": str(_apt_config(state)), "LC_ALL": "C"}
    _run(["apt-get", "-q", "update", "--error-on=any"], env=env)
    _run(["apt-get", "-q", "-y", "--download-only", "install", *PACKAGES], env=env)
    for package in sorted((state / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(folder)])
    for pattern in _NOT_NEEDED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(state)
    text = _run([*program(folder, "mysqld"), "--no-defaults", "--version"])
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
