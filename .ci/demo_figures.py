"""demo_figures.py first|again REPORT.json STATE [--studies DIR]: do the figures of `mic demo` add up?

A first run takes files in and moves bytes; one on the same state and data finds all of it there and
moves none. Every file of the folder has exactly one outcome.
"""

import argparse
import json
import sys
from pathlib import Path

OUTCOMES = ("stored", "held", "repeated", "passed_over")
# The steps whose work is to move a study's bytes.
MOVING = ("take_in", "pull")


def find(value, wanted):
    """The first object in the report that has all the wanted keys."""
    if isinstance(value, dict):
        if all(key in value for key in wanted):
            return value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            found = find(inner, wanted)
            if found:
                return found
    return None


def size(outcome):
    return len(outcome) if isinstance(outcome, list) else outcome


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=("first", "again"))
    parser.add_argument("report", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--studies", type=Path)
    args = parser.parse_args()
    bad = []

    def claim(holds, words):
        if not holds:
            bad.append(words)

    report = json.loads(args.report.read_text())
    intake = find(report, ("files", *OUTCOMES))
    if intake is None:
        sys.exit(f"demo: the report counts no {', '.join(OUTCOMES)}")
    counts = {outcome: size(intake[outcome]) for outcome in OUTCOMES}
    claim(intake["files"] == sum(counts.values()), f"{intake['files']} files, but {counts}")
    if args.studies:
        there = sum(1 for f in args.studies.rglob("*") if f.is_file())
        claim(intake["files"] == there, f"{there} files in the folder, {intake['files']} in the report")
    else:
        claim(intake["files"] >= 200, f"the phantom has {intake['files']} slices, fewer than 200")
        claim(counts["passed_over"] == 0, "a slice of the phantom was passed over")
    for passed in intake["passed_over"]:
        claim(passed.get("reason"), f"{passed.get('file')} was passed over without a reason")

    moved = {s["step"]: s.get("bytes") or 0 for s in report["steps"] if s["step"] in MOVING}
    claim(set(moved) == set(MOVING), f"steps {MOVING} expected, found {sorted(moved)}")
    if args.which == "first":
        claim(counts["stored"] > 0 and counts["held"] == 0, f"a first run stores all: {counts}")
        claim(all(moved.values()), f"a first run moves bytes: {moved}")
    else:
        claim(counts["stored"] == 0 and counts["held"] > 0, f"a second run stores nothing: {counts}")
        claim(not any(moved.values()), f"a second run moves nothing: {moved}")
    for step in report["steps"]:
        claim(step["seconds"] >= 0, f"{step['step']} took {step['seconds']} s")

    pictures = [p for p in args.state.rglob("*.png") if p.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"]
    claim(len(pictures) >= 2, f"{len(pictures)} pictures, at least a QR and a preview expected")
    if bad:
        sys.exit("demo: " + "\ndemo: ".join(bad))
    studies = intake.get("studies")
    studies = len(studies) if isinstance(studies, list) else studies
    seconds = sum(step["seconds"] for step in report["steps"])
    print(f"   {intake['files']} files of {studies} studies read in {seconds:.1f} s: {counts}, moved {moved}")


if __name__ == "__main__":
    main()
