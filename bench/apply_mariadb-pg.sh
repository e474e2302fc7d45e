# Sourced by bench/pair.sh: nothing that comes with either server follows MariaDB into PostgreSQL.
FOLLOWERS=
