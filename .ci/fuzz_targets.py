"""The fuzz targets, read from the manifests of mic-*/fuzz and the commands of FUZZING.md.

    fuzz_targets.py check           FUZZING.md names exactly the targets there are, with seeds that exist
    fuzz_targets.py list FUZZ_DIR   the targets of one folder: name, then its seed folders and options
                                    as FUZZING.md gives them
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = re.compile(r"cargo fuzz run --sanitizer none --fuzz-dir (\S+) ([\w-]+)([^`\n]*)`")


def targets(folder):
    manifest = tomllib.loads((ROOT / folder / "Cargo.toml").read_text())
    return [binary["name"] for binary in manifest.get("bin", [])]


def commands():
    """(folder, target) to the words behind it, from the page's tables (not its code blocks)."""
    found = {}
    for folder, name, rest in COMMAND.findall((ROOT / "FUZZING.md").read_text()):
        words = [word for word in rest.split() if word != "--"]
        if found.setdefault((folder, name), words) != words:
            sys.exit(f"FUZZING.md has two commands for {folder} {name}")
    return found


def check():
    folders = sorted(str(f.parent.relative_to(ROOT)) for f in ROOT.glob("mic-*/fuzz/Cargo.toml"))
    there = {(folder, name) for folder in folders for name in targets(folder)}
    listed = commands()
    bad = [f"{f} {n}: not in FUZZING.md" for f, n in sorted(there - listed.keys())]
    bad += [f"{f} {n}: in FUZZING.md, but there is no such target" for f, n in sorted(listed.keys() - there)]
    for folder, name in sorted(there):
        seeds = [ROOT / word for word in listed.get((folder, name), []) if not word.startswith("-")]
        maker = ROOT / folder / "seeds.py"
        if maker.is_file() and not all(seed.is_dir() for seed in seeds):
            # A crate may keep the program that makes its seeds from the vectors instead of the seeds.
            subprocess.run([sys.executable, str(maker)], check=True)
        if not all(seed.is_dir() and any(seed.iterdir()) for seed in seeds):
            bad.append(f"{folder} {name}: no seeds in {[str(s.relative_to(ROOT)) for s in seeds]}")
    for library in sorted(ROOT.glob("mic-*/Cargo.toml")):
        if f"{library.parent.name}/fuzz" not in folders:
            bad.append(f"{library.parent.name}: no fuzz targets")
    if bad:
        print(*bad, sep="\n")
        sys.exit(f"fuzz targets: {len(bad)} breaches")
    print(f"   fuzz targets: {len(there)} in {len(folders)} crates, all listed, their seeds there")


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check()
    elif sys.argv[1:2] == ["list"] and len(sys.argv) == 3:
        given = commands()
        for one in targets(sys.argv[2]):
            print(one, *given.get((sys.argv[2], one), []))
    else:
        sys.exit(__doc__)
