#!/bin/sh
# Install what is missing. Quick when nothing is.
#
# Usage: setup.sh GROUP...     groups: build run test bench
#        setup.sh python       path of the tests' Python; makes its environment when it is missing
#        setup.sh lint         the same of cfn-lint's Python
#
# On Debian and Ubuntu packages come from apt, as root or through sudo; elsewhere the script says
# what is missing. A row below is "group | package | how to tell that it is there".
set -eu
cd "$(dirname "$0")/.."

packages='
build | gcc                  | command -v gcc
build | libc6-dev            | test -e /usr/include/stdio.h
build | meson                | command -v meson
build | ninja-build          | command -v ninja
build | pkg-config           | command -v pkg-config
build | libcurl4-openssl-dev | pkg-config --exists libcurl
build | libssl-dev           | pkg-config --exists libcrypto
build | libyaml-dev          | pkg-config --exists yaml-0.1
build | libexpat1-dev        | pkg-config --exists expat
build | libdeflate-dev       | pkg-config --exists libdeflate
build | zlib1g-dev           | pkg-config --exists zlib
run   | ca-certificates      | test -d /etc/ssl/certs
run   | curl                 | command -v curl
run   | nodejs               | command -v node
run   | python3              | command -v python3
run   | python3-venv         | python3 -c "import ensurepip"
test  | clang                | command -v clang
test  | clang-format         | command -v clang-format
test  | llvm                 | command -v llvm-symbolizer
test  | libclang-rt-dev      | libfuzzer
test  | libcmocka-dev        | pkg-config --exists cmocka
test  | strace               | command -v strace
bench | npm                  | command -v npm
'

say() { echo "setup: $*" >&2; }
die() { echo "error: $*" >&2; exit 1; }

# Is clang's libFuzzer there? Its package carries clang's version in its name.
libfuzzer() {
    command -v clang >/dev/null &&
        test -n "$(find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*' 2>/dev/null | head -n 1)"
}

# Names of the packages of the groups "$@" that are missing.
missing() {
    for group; do
        echo "$packages" | while IFS='|' read -r of package check; do
            [ "$(echo $of)" = "$group" ] || continue
            eval "$check" >/dev/null 2>&1 || echo $package
        done
    done
}

# apt's name of a package of the table.
apt_name() {
    case $1 in
    libclang-rt-dev) # a new clang has been unpacked by now, or apt knows which one it would be
        version=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
        echo "libclang-rt-$version-dev" ;;
    *) echo "$1" ;;
    esac
}

install_packages() {
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null ||
        die "missing: $(echo $wanted) (Debian's names): install them with your system's package manager"
    root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "missing packages: as root, run: apt-get install $(echo $wanted)"
        root=sudo
    fi
    say "installing $(echo $wanted)"
    $root apt-get update -qq >&2 || say "apt-get update failed, going on with the lists there are"
    names=$(for package in $wanted; do apt_name "$package"; done)
    # shellcheck disable=SC2086 # a list of words
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $names >&2
    left=$(missing "$@")
    [ -z "$left" ] || die "still missing after installation: $(echo $left)"
}

# A Python environment for exactly the requirements file $1, in the user's cache.
python() {
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/troupe
    key=$( { python3 --version; cat "$1"; } | sha256sum | cut -c1-12)
    home=$cache/tests-$key
    if [ ! -e "$home/complete" ]; then
        say "making a Python environment for $1"
        mkdir -p "$cache"
        rm -rf "$home"
        python3 -m venv "$home" >&2
        "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
            --require-hashes -r "$1" >&2
        : >"$home/complete"
    fi
    echo "$home/bin/python"
}

case ${1-} in
'' | -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0" ;;
python) python tests/requirements.txt ;;
lint) python tests/lint/requirements.txt ;;
*)
    install_packages "$@"
    case " $* " in *" test "*) python tests/requirements.txt >/dev/null ;; esac
    ;;
esac
