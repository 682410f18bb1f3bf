#!/usr/bin/env bash
# Installs what is missing, with apt-get: scripts/packages.sh NEED…
#   server  PostgreSQL 15 or later     unit    CMake, GoogleTest      format  clang-format 14
#   build   make, a C++ compiler, Boost, {fmt}, NLopt     tap     Perl, IPC::Run
#   cron    pg_cron, where there is a package of it       check   plpgsql_check, likewise
#   fuzz    clang, CMake
#   orders  Perl's Text::CSV_XS     tidy    clang-tidy 14         browser  Chromium, Node.js, npm
# No PostgreSQL cluster is created, and none that exists is touched.
source "$(dirname "$0")/common.sh"

main() {
    local need packages=()
    for need in "$@"; do "need_$need"; done
    if [ "${#packages[@]}$server_missing" != 0no ]; then install_needed; fi
    for need in "${extensions[@]}"; do install_extension_package "$need"; done
}

install_needed() {
    local names="${packages[*]}"
    if [ $server_missing = yes ]; then names+=" postgresql postgresql-server-dev"; fi

    command -v apt-get >/dev/null || fail "please install: $names (there is no apt-get here)"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "please install as root: $names (there is no sudo here)"
    fi
    step "Installing what is missing: $names"
    quietly as_root apt-get -q update
    if [ "$server_missing" = yes ]; then
        local major
        major=$(server_major)
        packages+=("postgresql-$major" "postgresql-server-dev-$major")
    fi
    quietly apt_install "${packages[@]}"
}

# What apt prints, hundreds of lines, is of interest where it fails.
quietly() {
    local printed
    printed=$("$@" 2>&1) || {
        printf '%s\n' "$printed" >&2
        fail "the packages could not be installed: see above"
    }
}

# For one test, which is skipped without it: so nothing here is a failure. $1: the name of a package of an extension, without its prefix
install_extension_package() {
    local pg_config major package
    pg_config=$(find_pg_config) || return 0
    major=$(major_version "$pg_config")
    package=postgresql-$major-$1
    if dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$'; then return; fi
    if [ "$("$pg_config" --bindir)" != "/usr/lib/postgresql/$major/bin" ] || ! may_exist "$package"; then return; fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then return; fi
    step "Installing an extension for its test: $package"
    (quietly as_root apt-get -q update && quietly apt_install "$package") || echo "There is no $package now; its test is skipped."
}

# Whether apt knows a package, or has not been told of any yet.
may_exist() {
    command -v apt-cache >/dev/null || return 1
    apt-cache show "$1" >/dev/null 2>&1 || ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null
}

server_missing=no
extensions=()

need_build() {
    command -v make >/dev/null || packages+=(make)
    command -v g++ >/dev/null || packages+=(g++)
    has_header boost/version.hpp || packages+=(libboost-dev)
    has_header fmt/format.h || packages+=(libfmt-dev)
    has_header nlopt.h || packages+=(libnlopt-dev)
}

need_server() {
    if find_pg_config >/dev/null; then return; fi
    if [ -n "${PG_CONFIG:-}" ]; then
        fail "PG_CONFIG=$PG_CONFIG is not that of a PostgreSQL 15 or later with its server and development files"
    fi
    server_missing=yes
}

need_unit() {
    command -v cmake >/dev/null || packages+=(cmake)
    has_header gtest/gtest.h || packages+=(libgtest-dev)
}

need_tap() {
    command -v prove >/dev/null || packages+=(perl)
    perl -MIPC::Run -e 1 2>/dev/null || packages+=(libipc-run-perl)
    need_orders
}

need_orders() { perl -MText::CSV_XS -e 1 2>/dev/null || packages+=(libtext-csv-xs-perl); }

need_browser() {
    command -v chromium >/dev/null || packages+=(chromium)
    command -v node >/dev/null || packages+=(nodejs)
    command -v npm >/dev/null || packages+=(npm)
}

need_cron() { extensions+=(cron); }

need_check() { extensions+=(plpgsql-check); }

need_tidy() { command -v clang-tidy-14 >/dev/null || packages+=(clang-tidy-14); }

need_fuzz() {
    command -v clang++ >/dev/null || packages+=(clang)
    need_unit
}

need_format() { command -v clang-format-14 >/dev/null || packages+=(clang-format-14); }

has_header() { echo "#include <$1>" | g++ -std=c++20 -E -x c++ - >/dev/null 2>&1; }

# The version whose server is there already, else the distribution's.
server_major() {
    local postgres major=0
    postgres=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -rV | head -n 1)
    if [ -n "$postgres" ]; then major=$(major_version "$postgres"); fi
    if [ "$major" -lt 15 ]; then
        major=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1)
    fi
    if [ "${major:-0}" -lt 15 ]; then
        fail "PostgreSQL 15 or later is needed, and this distribution has ${major:-none}: see https://apt.postgresql.org"
    fi
    echo "$major"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@" </dev/null; else sudo "$@"; fi
}

apt_install() {
    as_root bash -c "$(declare -f install_without_cluster); install_without_cluster \"\$@\"" bash "$@"
}

# Runs as root. Debian's packages create and start a cluster "main" unless told otherwise; tell them for this one time.
install_without_cluster() {
    set -euo pipefail
    dir=/etc/postgresql-common/createcluster.d
    file=$dir/zz-clientele.conf
    conf=/etc/postgresql-common/createcluster.conf
    created=
    undo() {
        rm -f "$file"
        for made in $created; do rmdir --ignore-fail-on-non-empty "$made" 2>/dev/null || true; done
        if [ -e "$conf.clientele" ]; then mv -f "$conf.clientele" "$conf"; fi
    }
    trap undo EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    if [ ! -d /etc/postgresql-common ]; then created="$dir /etc/postgresql-common"; elif [ ! -d $dir ]; then created=$dir; fi
    mkdir -p $dir
    echo 'create_main_cluster = false' >$file
    if [ -e $conf ] && ! grep -q '^ *include_dir.*createcluster\.d' $conf; then
        cp -p $conf $conf.clientele
        echo 'create_main_cluster = false' >>$conf
    fi
    env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
}

main "$@"
