"""Private database servers for tests, benchmarks and the demo. See README.md."""

from .base import ROOT_PASSWORD, Server, ServerError
from .debian import Unavailable
from .mariadb import MariaDB
from .mysql import MySQL
from .postgresql import PostgreSQL

__all__ = ["MariaDB", "MySQL", "PostgreSQL", "ROOT_PASSWORD", "Server", "ServerError", "Unavailable"]
