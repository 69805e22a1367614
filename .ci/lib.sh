# shellcheck shell=bash
# What the steps of `run` share: words, timing, installing, and the two ways to call cargo.

declare -A step_seconds=()
step_order=()
current=start
passed=0 failed=0
# Everything that is thrown away at the end, outside the workspace.
work=$(mktemp -d)
postgres_stop=()

say() { printf '   %s\n' "$*"; }

fail() {
    printf '\nFAILED in step %s: %s\n' "$current" "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# needs STEP: run a step once, timed; whatever fails inside it ends the whole run.
needs() {
    local name=$1 outer=$current started=$SECONDS
    [[ -z ${step_seconds[$name]:-} ]] || return 0
    current=$name
    step_seconds[$name]=0
    printf '\n== %s\n' "$name"
    "step_$name"
    step_seconds[$name]=$((SECONDS - started))
    step_order+=("$name")
    printf '== %s: done in %d s\n' "$name" "${step_seconds[$name]}"
    current=$outer
}

summary() {
    local name
    printf '\n%-12s %8s\n' step seconds
    for name in "${step_order[@]}"; do
        printf '%-12s %8d\n' "$name" "${step_seconds[$name]}"
    done
    printf '%-12s %8d\n\n' all "$SECONDS"
    ((passed + failed == 0)) || printf 'tests: %d passed, %d failed\n' "$passed" "$failed"
}

on_exit() {
    local code=$?
    ((${#postgres_stop[@]} == 0)) || as_postgres "${postgres_stop[@]}" >/dev/null 2>&1 || true
    rm -rf "$work"
    if ((code != 0)); then
        printf '\n.ci/run stopped in step %s with exit code %d after %d s\n' \
            "$current" "$code" "$SECONDS" >&2
    fi
}
trap on_exit EXIT

# within SECONDS COMMAND: end a program that does not end by itself.
within() {
    local seconds=$1
    shift
    timeout --kill-after=10 "$seconds" "$@"
}

# counted COMMAND: run tests and add their figures to the closing line.
counted() {
    local log="$work/tests.log"
    "$@" 2>&1 | tee "$log"
    local more_passed more_failed
    read -r more_passed more_failed < <(awk '/^test result:/ {
            for (i = 1; i <= NF; i++) { if ($i ~ /^passed/) p += $(i-1); if ($i ~ /^failed/) f += $(i-1) }
        } END { print p + 0, f + 0 }' "$log")
    ((more_passed > 0)) || fail "no test ran: $*"
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
}

libraries() { python3 .ci/workspace.py libraries; }

# The workspaces of their own inside this repository.
own_workspaces() { git ls-files -- 'mic-*/fuzz/Cargo.toml' 'benches/**/Cargo.toml' '.ci/**/Cargo.toml'; }

# consumer CRATE FOLDER: the small project of .ci/consumers/CRATE on the unpacked crate.
consumer() {
    local crate=$1 folder=$2
    mkdir -p "$(dirname "$folder")"
    cp -r ".ci/consumers/$crate" "$folder"
    sed -i "s|\.\./\.\./\.\./$crate|$work/crates/$crate|" "$folder/Cargo.toml"
    grep -qF "$work/crates/$crate" "$folder/Cargo.toml" || fail "the consumer of $crate has no path to it"
}

apt_updated=no
apt_refresh() {
    [[ $apt_updated == no ]] || return 0
    apt-get update -qq
    apt_updated=yes
}

# apt_install PACKAGE...: needs root, says so where it isn't.
apt_install() {
    ((EUID == 0)) || fail "please install: $*"
    apt_refresh
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        --allow-downgrades "$@" >"$work/apt.log" 2>&1 \
        || { tail -n 20 "$work/apt.log"; fail "apt-get install $*"; }
}

# debian_rust 1.85: Debian's compiler of that version with the sources of core and alloc.
debian_rust() {
    local wanted=$1 version name names=()
    if [[ $(/usr/bin/rustc --version 2>/dev/null) == "rustc $wanted."* && -x /usr/bin/cargo &&
        -d /usr/src/rustc-$wanted.0/library/core ]]; then
        say "$(/usr/bin/rustc --version)"
        return
    fi
    ((EUID == 0)) || fail "please install Debian's rustc-web, cargo-web and rust-web-src $wanted"
    apt_refresh
    version=$(apt-cache madison rustc-web | awk -v w="$wanted." 'index($3, w) == 1 {print $3; exit}')
    [[ -n $version ]] || fail "apt offers no rustc-web $wanted"
    for name in rustc-web cargo-web rust-web-src libstd-rust-web-dev "libstd-rust-web-$wanted"; do
        names+=("$name=$version")
    done
    apt_install "${names[@]}"
    say "$(/usr/bin/rustc --version)"
}

# cargo of debian_rust, without rustup's variables and with its own compiler only.
debian_cargo() {
    env -u RUSTUP_TOOLCHAIN -u RUSTFLAGS -u CARGO -u CARGO_TARGET_DIR \
        PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc /usr/bin/cargo "$@"
}
