# shellcheck shell=bash disable=SC2154
# The steps that use the `mic` command: the scene on real studies, and what bad input must answer.

mic() { "$target/release/mic" "$@"; }

step_demo() {
    cargo build --release --locked --bin mic
}

step_bad_input() {
    needs demo
}
