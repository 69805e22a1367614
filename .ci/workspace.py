"""Facts about the workspace, read from cargo itself so that no list is kept twice.

    workspace.py libraries                              the crates that are published
    workspace.py version CRATE
    workspace.py features CRATE [--without F] [--without-std] [--join]
    workspace.py bare                                   the libraries in the category "no-std"
    workspace.py profile                                the root's dev profile as arguments of cargo, one a line
    workspace.py depend MANIFEST CRATE FEATURES [PATH]  point a manifest at exactly these features
"""

import argparse
import json
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def packages():
    out = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    return json.loads(out)["packages"]


def libraries():
    """The members that may be published: `publish` is absent, not the empty list."""
    return [p for p in packages() if p["publish"] is None]


def package(name):
    for found in packages():
        if found["name"] == name:
            return found
    raise SystemExit(f"no member is called {name}")


def brings(features, name):
    """All features that `name` switches on, itself included."""
    seen, todo = set(), [name]
    while todo:
        one = todo.pop()
        if one in features and one not in seen:
            seen.add(one)
            todo.extend(features[one])
    return seen


def feature_names(found, without, without_std):
    table = found["features"]
    names = [f for f in table if f != "default" and f not in without]
    # A feature that brings an excluded one is excluded as well.
    names = [f for f in names if not brings(table, f) & set(without)]
    if without_std:
        names = [f for f in names if "std" not in brings(table, f)]
    return sorted(names)


def settings(table, path):
    """Each setting of a table of TOML, by its path."""
    for key, value in table.items():
        key = key if re.fullmatch(r"[\w-]+", key) else f'"{key}"'
        if isinstance(value, dict):
            yield from settings(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}={json.dumps(value)}"


def depend(manifest, crate, features, path):
    """Rewrite the one line `crate = ...`, or add it to [dependencies]."""
    text = Path(manifest).read_text()
    line = re.compile(rf"^{re.escape(crate)}\s*=.*$", re.M)
    if path is None:
        path = re.search(r'path\s*=\s*"([^"]+)"', line.search(text)[0])[1]
    listed = ", ".join(f'"{f}"' for f in features.split(",") if f)
    new = f'{crate} = {{ path = "{path}", default-features = false, features = [{listed}] }}'
    if line.search(text):
        text = line.sub(new, text)
    else:
        text = text.replace("[dependencies]", f"[dependencies]\n{new}")
    Path(manifest).write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("libraries")
    verbs.add_parser("bare")
    verbs.add_parser("profile")
    verbs.add_parser("version").add_argument("crate")
    some = verbs.add_parser("features")
    some.add_argument("crate")
    some.add_argument("--without", action="append", default=[])
    some.add_argument("--without-std", action="store_true")
    some.add_argument("--join", action="store_true")
    point = verbs.add_parser("depend")
    for name in ("manifest", "crate", "features"):
        point.add_argument(name)
    point.add_argument("path", nargs="?")
    args = parser.parse_args()

    if args.verb == "libraries":
        print(*(p["name"] for p in libraries()), sep="\n")
    elif args.verb == "bare":
        print(*(p["name"] for p in libraries() if "no-std" in p["categories"]), sep="\n")
    elif args.verb == "profile":
        with open(ROOT / "Cargo.toml", "rb") as file:
            dev = tomllib.load(file)["profile"]["dev"]
        for setting in settings(dev, "profile.dev"):
            print("--config", setting, sep="\n")
    elif args.verb == "version":
        print(package(args.crate)["version"])
    elif args.verb == "features":
        names = feature_names(package(args.crate), args.without, args.without_std)
        print(*names, sep="," if args.join else "\n")
    else:
        depend(args.manifest, args.crate, args.features, args.path)


if __name__ == "__main__":
    main()
