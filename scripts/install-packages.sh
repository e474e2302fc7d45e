#!/bin/sh
# Install the Debian 12 packages that a purpose needs; does nothing when all are there.
# Usage: scripts/install-packages.sh [build|test|bench|fuzz|demo]     (default: build)
# Installs as root or through `sudo -n`; else prints the line to run and exits 2. Starts no service.
# What apt says is shown when it fails; SLUICE_VERBOSE=1 shows it always.
set -eu

build="gcc pkg-config meson ninja-build git libmariadb-dev libpq-dev libmicrohttpd-dev libjansson-dev
libxml2-dev libsqlite3-dev libssl-dev libinih-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev scdoc"
servers="mariadb-server-core mariadb-client-core debian-archive-keyring python3 tzdata util-linux"
clang="clang clang-14 clang-format libclang-rt-14-dev"
test="$servers $clang libcmocka-dev python3-venv python3-pip gdb strace curl libxml2-utils"

purpose=${1:-build}
case $purpose in
build) wanted=$build ;;
test) wanted="$build $test" ;;
bench) wanted="$build $servers mariadb-client python3-venv sysbench mydumper postgresql-client pgloader pgcopydb" ;;
fuzz) wanted="$build $clang" ;;
demo) wanted="$build $servers" ;;
*)
    echo "usage: $0 [build|test|bench|fuzz|demo]" >&2
    exit 2
    ;;
esac

# Programs that a machine may have from elsewhere: their package only when the program is missing.
if [ "$purpose" = test ]; then
    command -v node >/dev/null || wanted="$wanted nodejs"
    command -v npm >/dev/null || wanted="$wanted npm"
fi

# shellcheck disable=SC2086
have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
    case "
$have
" in
    *"
$package installed
"*) ;;
    *) missing="$missing $package" ;;
    esac
done

cache=${SLUICE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice-tests}
promtool=$cache/prometheus/usr/bin/promtool

as_root() {
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# What this script makes for itself goes with it, after Ctrl-C as well.
said='' scratch=''
clean_up() {
    [ -z "$said" ] || rm -f "$said"
    [ -z "$scratch" ] || rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# apt ARGUMENT...: apt-get as root, its words kept back unless it fails. Waits for another apt on the machine.
apt() {
    if [ -n "${SLUICE_VERBOSE:-}" ]; then
        as_root apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >&2
        return
    fi
    said=$(mktemp)
    status=0
    as_root apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >"$said" 2>&1 </dev/null || status=$?
    [ "$status" = 0 ] || tail -n 40 "$said" >&2
    rm -f "$said"
    said=''
    return "$status"
}

# True when the package lists of this machine know every missing package.
lists_are_known() {
    # shellcheck disable=SC2086
    apt-get -qq -s --no-install-recommends install $missing >/dev/null 2>&1
}

install_missing() {
    # shellcheck disable=SC2086
    apt --no-install-recommends install $missing
}

if [ -n "$missing" ]; then
    count=$(echo "$missing" | wc -w)
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        echo "error: $count Debian packages are missing and this user may not install them" >&2
        echo "  fix:   run this line as root, then the same command again:" >&2
        echo "apt-get update && apt-get install --no-install-recommends$missing"
        exit 2
    fi
    echo "installing $count Debian packages (SLUICE_VERBOSE=1 shows what apt says):$missing" | fold -s -w 100 >&2
    lists_are_known || apt update || exit 2
    # Lists that are older than the archive name files that are gone: a second try with fresh ones.
    install_missing || { echo "trying again with fresh package lists" >&2 && apt update && install_missing; } || {
        echo "error: apt-get could not install the packages, see above" >&2
        echo "  fix:   check the network and /etc/apt/sources.list*; Sluice builds on Debian 12" >&2
        exit 2
    }
fi

# promtool checks our metrics. The package would start a monitoring service, so only its files are
# taken, into the cache folder.
if [ "$purpose" = test ] && ! [ -x "$promtool" ]; then
    scratch=$cache/prometheus.building.$$
    mkdir -p "$scratch"
    (
        cd "$scratch"
        # The sandbox user of apt cannot enter a private folder, root can.
        download() { apt-get -qq -o APT::Sandbox::User="$(id -un)" download prometheus; }
        download 2>/dev/null || { apt update && download; } || {
            echo "error: apt-get could not download the package prometheus (its promtool checks our metrics)" >&2
            echo "  fix:   run as root: apt-get update" >&2
            exit 2
        }
        dpkg-deb -x prometheus_*.deb unpacked
    )
    rm -rf "$cache/prometheus"
    mv "$scratch/unpacked" "$cache/prometheus"
fi
