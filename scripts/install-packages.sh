#!/bin/sh
# Install the Debian 12 packages that a purpose needs; does nothing when all are there.
# Usage: scripts/install-packages.sh [build|test|bench|fuzz|demo]     (default: build)
# Installs as root or through `sudo -n`; else prints the line to run and exits 2. Starts no service.
set -eu

build="gcc pkg-config meson ninja-build git libmariadb-dev libmicrohttpd-dev libjansson-dev
libxml2-dev libsqlite3-dev libssl-dev libinih-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev scdoc"
servers="mariadb-server-core mariadb-client-core debian-archive-keyring python3 util-linux"
clang="clang clang-14 clang-format libclang-rt-14-dev"
test="$servers $clang libcmocka-dev python3-venv python3-pip gdb strace curl libxml2-utils"

purpose=${1:-build}
case $purpose in
build) wanted=$build ;;
test) wanted="$build $test" ;;
bench) wanted="$build $servers python3-venv sysbench mydumper" ;;
fuzz) wanted="$build $clang" ;;
demo) wanted="$build $servers curl" ;;
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

install_all() {
    # shellcheck disable=SC2086
    as_root apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing
}

update() {
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update
}

if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        echo "packages are missing and this user may not install them; run as root:" >&2
        echo "apt-get update && apt-get install --no-install-recommends$missing"
        exit 2
    fi
    echo "installing:$missing" >&2
    # A machine with current lists needs no update; one without, or with old ones, does.
    install_all >&2 || { update >&2 && install_all >&2; }
fi

# promtool checks our metrics. The package would start a monitoring service, so only its files are
# taken, into the cache folder.
if [ "$purpose" = test ] && ! [ -x "$promtool" ]; then
    scratch=$cache/prometheus.building.$$
    mkdir -p "$scratch"
    trap 'rm -rf "$scratch"' EXIT
    (
        cd "$scratch"
        # The sandbox user of apt cannot enter a private folder, root can.
        apt-get -q -o APT::Sandbox::User="$(id -un)" download prometheus >&2 || {
            update >&2
            apt-get -q -o APT::Sandbox::User="$(id -un)" download prometheus >&2
        }
        dpkg-deb -x prometheus_*.deb unpacked
    )
    rm -rf "$cache/prometheus"
    mv "$scratch/unpacked" "$cache/prometheus"
fi
