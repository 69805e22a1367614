"""Rules of the written text that no compiler checks. Prints each breach as path:line: reason.

A line may break a rule where `text-exceptions.txt` says so: `path<TAB>words of the line<TAB>reason`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = Path(__file__).with_name("text-exceptions.txt")
LIBRARIES = ["mic-index", "mic-consent", "mic-transfer", "mic-billing"]
# Files of other hands or made by tools: their text is not ours to word.
NOT_OURS = re.compile(r"(^|/)(Cargo\.lock|LICENSE-(MIT|APACHE))$|(^|/)fuzz/corpus/|\.proptest-regressions$")
RUST_LINES_MAX = 800

# The names are split, so that this file passes its own rule.
HOSTS = "|".join(re.escape(a + "." + b) for a, b in [
    ("crates", "io"), ("pypi", "org"), ("pythonhosted", "org"),
    ("deb.debian", "org"), ("security.debian", "org"), ("registry.npmjs", "org"),
])
LINE_RULES = [
    (re.compile(r"(?<![\w./:-])/(work|root|tmp|home)(?=/|\b)(?!-)"), "a path of one machine"),
    (re.compile(rf"(?<![\w-])({HOSTS})\b"), "the host of a package registry"),
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!.*#\d)"), "an open end without the issue's number (#N)"),
]


def tracked():
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return sorted(name for name in out.decode().split("\0") if name)


def exceptions():
    if not EXCEPTIONS.exists():
        return []
    rows = [r for r in EXCEPTIONS.read_text().splitlines() if r and not r.startswith("#")]
    return [tuple(r.split("\t")) for r in rows]


def other_libraries(path):
    """Ways in which the code of a library could lean on another one."""
    owner = path.split("/")[0]
    if owner not in LIBRARIES or not path.endswith((".rs", ".toml")):
        return None
    others = [name for name in LIBRARIES if name != owner]
    names = others if path.endswith(".toml") else [name.replace("-", "_") for name in others]
    return re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, names)) + r")(?![\w-])")


def line_breaches(path, lines):
    others = other_libraries(path)
    in_library = path.split("/")[0] in LIBRARIES and "/src/" in path
    for number, line in enumerate(lines, 1):
        for rule, reason in LINE_RULES:
            if rule.search(line):
                yield number, line, reason
        if others and others.search(line):
            yield number, line, "a library that names another one: each is taken alone"
        if in_library and re.search(r"#!?\[allow\(", line):
            yield number, line, "an exception to a lint has the form #[expect(lint, reason = ...)]"
        if line != line.rstrip() and not path.endswith(".md"):
            yield number, line, "blanks at the end of the line"


def link_breaches(path, lines):
    """Relative links of Markdown files must lead somewhere."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if fenced:
            continue
        for aim in re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z][a-z0-9+.-]*:|#", aim):
                continue
            target = (ROOT / path).parent / aim.split("#")[0]
            if not target.exists():
                yield number, line, f"the link leads nowhere: {aim}"


def dependency_breaches():
    out = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    for package in json.loads(out)["packages"]:
        if package["name"] in LIBRARIES:
            for dependency in package["dependencies"]:
                if dependency["name"] in LIBRARIES:
                    yield f"{package['name']}/Cargo.toml", 0, "", f"depends on {dependency['name']}"


def main():
    allowed = exceptions()
    used = set()
    found = list(dependency_breaches())
    for path in tracked():
        file = ROOT / path
        if NOT_OURS.search(path) or not file.is_file():
            continue
        data = file.read_bytes()
        if b"\0" in data[:8192]:
            continue
        try:
            text = data.decode()
        except UnicodeDecodeError:
            found.append((path, 0, "", "not UTF-8"))
            continue
        if "\r" in text:
            found.append((path, 0, "", "carriage returns: lines end with LF"))
        if text and not text.endswith("\n"):
            found.append((path, 0, "", "no newline at the end of the file"))
        lines = text.split("\n")
        if path.endswith(".rs") and "/src/" in path and len(lines) > RUST_LINES_MAX:
            found.append((path, 0, "", f"{len(lines)} lines, at most {RUST_LINES_MAX}"))
        breaches = list(line_breaches(path, lines))
        if path.endswith(".md"):
            breaches += link_breaches(path, lines)
        found += [(path, *breach) for breach in breaches]

    left = []
    for path, number, line, reason in found:
        excuse = next((row for row in allowed if row[0] == path and row[1] in (line or reason)), None)
        if excuse:
            used.add(excuse)
        else:
            left.append(f"{path}:{number}: {reason}: {line.strip()[:120]}")
    left += [f"{EXCEPTIONS.name}: nothing needs this exception: {row}" for row in allowed if row not in used]
    print(*left, sep="\n", end="\n" if left else "")
    if left:
        sys.exit(f"text: {len(left)} breaches")
    print(f"   text: {len(tracked())} tracked files, {len(used)} exceptions")


if __name__ == "__main__":
    main()
