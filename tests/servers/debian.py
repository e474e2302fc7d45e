"""Files of Debian packages of any suite, without touching the system.

apt gets a private state (lists, package cache, an empty dpkg status) and one source: this machine's own Debian mirror
with the wanted suite, signatures checked by debian-archive-keyring. Packages are unpacked, never installed, so no
account is made and no service started.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Unavailable(Exception):
    """Programs of a server cannot be had on this machine; the text names the reason."""


def run(product: str, argv: list[str], **kwargs) -> str:
    """Output of a command that fetches files of the product."""
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True, **kwargs).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"{product} cannot be downloaded: {error.filename} is not installed; run on Debian 12: "
                          "scripts/install-packages.sh test") from error
    except subprocess.CalledProcessError as error:
        tail = "\n".join((error.stdout + error.stderr).splitlines()[-8:])
        raise Unavailable(f"{product} cannot be downloaded: {' '.join(argv)} failed:\n{tail}") from error


class Archive:
    """The packages of one suite, for one product; a context manager that unpacks into a folder.

    The private state lies in the folder while the context lasts.
    """

    def __init__(self, product: str, suite: str, folder: Path):
        self._product = product
        self._suite = suite
        self._folder = folder
        self._state = folder / "apt"

    def __enter__(self):
        self._env = {**os.environ, "APT_CONFIG": str(self._config()), "LC_ALL": "C"}
        self._run(["apt-get", "-q", "update", "--error-on=any"])
        return self

    def __exit__(self, *_):
        shutil.rmtree(self._state)

    def unpack(self, packages: list[str], *, with_dependencies: bool) -> None:
        """Download the packages, with everything that they need if wanted, and unpack them into the folder."""
        verb = ["-y", "--download-only", "install"] if with_dependencies else ["download"]
        archives = self._state / "archives"
        self._run(["apt-get", "-q", *verb, *packages], cwd=archives)
        for package in sorted(archives.glob("*.deb")):
            self._run(["dpkg-deb", "-x", str(package), str(self._folder)])
            package.unlink()

    def depends(self, packages: list[str]) -> set[str]:
        """Names of the packages on which they depend directly; of alternatives the first."""
        text = self._run(["apt-cache", "show", "--no-all-versions", *packages])
        lines = re.findall(r"^(?:Pre-)?Depends: (.*)$", text, re.MULTILINE)
        return {re.split(r"[ |:(]", item.strip())[0] for line in lines for item in line.split(",")}

    def _run(self, argv: list[str], **kwargs) -> str:
        return run(self._product, argv, env=self._env, **kwargs)

    def _mirror(self) -> str:
        """Base address of the Debian archive that this machine's apt uses."""
        found = run(self._product, ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                                    "Origin: Debian", "Label: Debian"]).split()
        if not found:  # before the first apt-get update apt knows addresses only, not origins
            plan = run(self._product, ["apt-get", "-q", "-o", "Debug::NoLocking=true", "--print-uris", "update"])
            bases = re.findall(r"^'([^']+)/dists/[^']+/InRelease'", plan, re.MULTILINE)
            found = [base for base in bases if urlsplit(base).path.endswith("/debian")]
        if not found:
            raise Unavailable(f"{self._product} cannot be downloaded: apt has no source of Debian packages")
        return found[0]

    def _config(self) -> Path:
        state = self._state
        for folder in ("lists/partial", "archives/partial", "parts"):
            (state / folder).mkdir(parents=True)
        (state / "status").touch()
        if not KEYRING.is_file():
            raise Unavailable(f"{self._product} cannot be downloaded: {KEYRING} is missing; "
                              "install debian-archive-keyring")
        source = f"deb [signed-by={KEYRING}] {self._mirror()} {self._suite} main\n"
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
            # A mirror of unstable that stands still outlives the 7 days of its Release file, which stays signed.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
        }
        if os.geteuid() == 0:  # apt's own user cannot enter a private cache folder
            settings["APT::Sandbox::User"] = "root"
        config = state / "apt.conf"
        config.write_text("".join(f'{k} "{v}";\n' for k, v in settings.items()), encoding="utf-8")
        return config
