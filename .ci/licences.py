"""Every dependency of every workspace here, on every platform, must offer a licence of deny.toml."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]
EXCEPTIONS = {row["crate"]: set(row["allow"]) for row in RULES.get("exceptions", [])}


def offered(expression, allowed):
    """Does an SPDX expression leave a choice that is allowed? Grammar: OR over AND over terms."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either():
        good = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            good = both() or good
        return good

    def both():
        good = term()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            good = term() and good
        return good

    def term():
        name = tokens.pop(0)
        if name == "(":
            good = either()
            tokens.pop(0)
            return good
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            name += " WITH " + tokens.pop(0)
        return name in allowed

    return either()


def manifests():
    out = subprocess.run(
        ["git", "ls-files", "Cargo.toml", "*/fuzz/Cargo.toml", "benches/peers/Cargo.toml", "benches/line/Cargo.toml"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    return out.split()


def packages(manifest):
    out = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--all-features", "--manifest-path", manifest],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    return json.loads(out)["packages"]


def main():
    seen, bad = set(), []
    for manifest in manifests():
        for package in packages(manifest):
            name = f"{package['name']} {package['version']}"
            # Our own: the licence texts at the root hold for them.
            if name in seen or package["source"] is None:
                continue
            seen.add(name)
            licence = package["license"]
            allowed = set(RULES["allow"]) | EXCEPTIONS.get(package["name"], set())
            if not licence or not offered(licence, allowed):
                bad.append(f"{name}: {licence or 'no licence expression'} (through {manifest})")
    print(*bad, sep="\n", end="\n" if bad else "")
    if bad:
        sys.exit(f"licences: {len(bad)} packages need a decision")
    print(f"   licences: {len(seen)} packages, each with an allowed choice")


if __name__ == "__main__":
    main()
