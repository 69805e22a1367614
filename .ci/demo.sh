# shellcheck shell=bash disable=SC2154
# The steps that use the `mic` command: the scene on real studies, and what bad input must answer.

# First what the README says, word for word but for the place of its state. Then, with --json and the
# figures checked, twice on one state: the first run brings a study, the second finds it there.
step_demo() {
    cargo build --release --locked
    say "the README's command"
    within 600 cargo run --release -- demo --state "$work/demo/readme"
    play again readme
    local studies="${MIC_TEST_DATA:-}"
    if [[ -n $studies ]]; then
        say "ge-ct-hispeed, as a person sees it"
        within 600 "$target/release/mic" demo --studies "$studies/ge-ct-hispeed" --state "$work/demo/shown"
        play first ct --studies "$studies/ge-ct-hispeed"
        play again ct --studies "$studies/ge-ct-hispeed"
        play first all --studies "$studies"
        play again all --studies "$studies"
    fi
}

# play first|again NAME ARGUMENT...: one run with --json on the state of that name, figures checked.
play() {
    local which=$1 name=$2
    shift 2
    say "$name, $which run"
    within 600 "$target/release/mic" demo "$@" --state "$work/demo/$name" --json >"$work/demo-$name-$which.json"
    python3 .ci/demo_figures.py "$which" "$work/demo-$name-$which.json" "$work/demo/$name" "$@"
}

# ---------------------------------------------------------------------------------------------
readonly published="10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"

# Exit code 1 where the data are at fault, 2 where the use is, and words that say what and where.
step_bad_input() {
    needs demo
    answers 0 "" index parse "$published"
    answers 1 "exam time" index parse "${published/202411221430/202413221430}"
    answers 1 "UnknownPrefix" consent inspect "MICX1:AAAA"
    answers 2 "" index parse
    answers 2 "" no-such-command
    answers 2 "no-such-folder" demo --studies "$work/no-such-folder" --state "$work/bad"
    [[ ! -e $work/bad/province/studies ]] || fail "a run that could not start left studies behind"
}

# answers CODE WORDS ARGUMENT...: `mic ARGUMENT...` ends with that code and its text has the words.
answers() {
    local wanted=$1 words=$2 code=0
    shift 2
    within 60 "$target/release/mic" "$@" >"$work/answer" 2>&1 </dev/null || code=$?
    ((code == wanted)) || { cat "$work/answer"; fail "mic $*: exit code $code, expected $wanted"; }
    grep -qF -- "$words" "$work/answer" || { cat "$work/answer"; fail "mic $*: no word of '$words'"; }
    say "exit code $code: mic $1 ${2:-}: $(tail -n 1 "$work/answer" | cut -c 1-90)"
}
