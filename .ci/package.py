"""package.py FOLDER: what a user must find in an unpacked .crate."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ["Cargo.toml", "README.md", "CHANGELOG.md", "DESIGN.md", "LICENSE-MIT", "LICENSE-APACHE"]
FOLDERS = {"spec": "*.md", "vectors": "*.json", "src": "*.rs", "tests": "*.rs"}
# The registry refuses a package above ten million bytes; ours stay far below, unpacked.
BYTES_MAX = 8_000_000


def main():
    folder = Path(sys.argv[1])
    bad = [f"{name} is missing" for name in FILES if not (folder / name).is_file()]
    bad += [f"{name}/{glob} is missing" for name, glob in FOLDERS.items() if not [*folder.glob(f"{name}/{glob}")]]
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        if (folder / licence).is_file() and (folder / licence).read_bytes() != (ROOT / licence).read_bytes():
            bad.append(f"{licence} differs from the one at the root")
    manifest = tomllib.loads((folder / "Cargo.toml").read_text())["package"]
    for field in ("description", "license", "rust-version", "readme", "keywords", "categories"):
        if not manifest.get(field):
            bad.append(f"the manifest has no {field}")
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    if size > BYTES_MAX:
        bad.append(f"{size} bytes, at most {BYTES_MAX}")
    if bad:
        print(*(f"{folder.name}: {line}" for line in bad), sep="\n")
        sys.exit(1)
    count = sum(1 for f in folder.rglob("*") if f.is_file())
    vectors = len([*folder.glob("vectors/**/*.json")])
    print(f"   {folder.name}: {count} files, {size} bytes, {vectors} vector files, licences inside")


if __name__ == "__main__":
    main()
