"""Fixtures of the end-to-end tests: database servers, started when first asked for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
pytest.register_assert_rewrite("jobs")

from jobs import PAIRS  # noqa: E402
from servers import MariaDB, MySQL, PostgreSQL, Unavailable  # noqa: E402


def _server(kind, **which):
    try:
        kind.prepare(**which)
    except Unavailable as error:
        pytest.skip(str(error))
    with kind(**which) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_a():
    """A MariaDB server shared by all tests of the session: make your own databases in it."""
    yield from _server(MariaDB)


@pytest.fixture(scope="session")
def mariadb_b():
    """A second MariaDB server."""
    yield from _server(MariaDB)


@pytest.fixture(scope="session")
def mysql_a():
    """A MySQL server with GTIDs; the test is skipped where MySQL cannot be downloaded."""
    yield from _server(MySQL)


@pytest.fixture(scope="session")
def mysql_b():
    """A second MySQL server with GTIDs."""
    yield from _server(MySQL)


@pytest.fixture
def pair(request):
    """(source, destination) of the pairing named by jobs.each_pair()."""
    return tuple(request.getfixturevalue(name) for name in PAIRS[request.param])


@pytest.fixture(scope="session")
def postgresql_15():
    """A PostgreSQL 15 server shared by all tests of the session: make your own databases in it."""
    yield from _server(PostgreSQL, version=15)


@pytest.fixture(scope="session")
def postgresql_15_b():
    """A second PostgreSQL 15 server."""
    yield from _server(PostgreSQL, version=15)


@pytest.fixture(scope="session")
def postgresql_17():
    """A PostgreSQL 17 server; the test is skipped where it cannot be downloaded."""
    yield from _server(PostgreSQL, version=17)


@pytest.fixture(scope="session")
def postgresql_18():
    """A PostgreSQL 18 server; the test is skipped where it cannot be downloaded."""
    yield from _server(PostgreSQL, version=18)


@pytest.fixture(scope="session")
def sluice_server():
    """A service shared by the tests of the session, without a rate limit."""
    from sluice import Service

    with Service("--rate-limit", "0") as service:
        yield service
