"""The fuzz targets, read from the manifests of mic-*/fuzz.

    fuzz_targets.py list FUZZ_DIR   the targets of one folder
    fuzz_targets.py check           FUZZING.md names exactly the targets there are, and each has seeds
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = re.compile(r"cargo fuzz run\b[^`\n]*?--fuzz-dir (\S+) ([A-Za-z0-9_-]+)")


def targets(folder):
    manifest = tomllib.loads((ROOT / folder / "Cargo.toml").read_text())
    return [binary["name"] for binary in manifest.get("bin", [])]


def check():
    folders = sorted(str(f.parent.relative_to(ROOT)) for f in ROOT.glob("mic-*/fuzz/Cargo.toml"))
    there = {(folder, name) for folder in folders for name in targets(folder)}
    listed = set(COMMAND.findall((ROOT / "FUZZING.md").read_text()))
    bad = [f"{f} {n}: not in FUZZING.md" for f, n in sorted(there - listed)]
    bad += [f"{f} {n}: in FUZZING.md, but there is no such target" for f, n in sorted(listed - there)]
    for folder, name in sorted(there):
        if not (ROOT / folder / "fuzz_targets" / f"{name}.rs").is_file():
            bad.append(f"{folder} {name}: fuzz_targets/{name}.rs is missing")
        corpus = ROOT / folder / "corpus" / name
        if not corpus.is_dir() or not any(corpus.iterdir()):
            bad.append(f"{folder} {name}: no seeds in corpus/{name}")
    for library in sorted(ROOT.glob("mic-*/Cargo.toml")):
        if f"{library.parent.name}/fuzz" not in folders:
            bad.append(f"{library.parent.name}: no fuzz targets")
    if bad:
        print(*bad, sep="\n")
        sys.exit(f"fuzz targets: {len(bad)} breaches")
    print(f"   fuzz targets: {len(there)} in {len(folders)} crates, all listed, all with seeds")


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check()
    elif sys.argv[1:2] == ["list"] and len(sys.argv) == 3:
        print(*targets(sys.argv[2]), sep="\n")
    else:
        sys.exit(__doc__)
