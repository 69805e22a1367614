"""The numbers of the specifications: what code, tests and vectors cite must be defined, once.

A requirement is defined where a list item, heading or table row of `spec/*.md` begins with its number:
`IDX-12`, `V-06`. A number nobody cites is told, not refused: some requirements bind people.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r"[A-Z]{1,4}-\d{1,3}"
DEFINED = re.compile(rf"^\s*(?:[-*+]|#+|\||\d+\.)?\s*[*`]*({NUMBER})\b(?!\s*(?:to|–|…))")
CITING = ("src/**/*.rs", "tests/**/*.rs", "vectors/**/*.json", "fuzz/fuzz_targets/*.rs")


def main():
    bad = []
    for crate in sorted(ROOT.glob("mic-*")):
        defined, mentioned = {}, set()
        for spec in sorted(crate.glob("spec/*.md")):
            text = spec.read_text()
            # What the specification puts off has a number already.
            mentioned |= set(re.findall(NUMBER, text))
            for number, line in enumerate(text.splitlines(), 1):
                found = DEFINED.match(line)
                if found and not line.lstrip().startswith("|") and found[1] in defined:
                    bad.append(f"{spec.relative_to(ROOT)}:{number}: {found[1]} is defined twice")
                if found:
                    defined.setdefault(found[1], f"{spec.name}:{number}")
        if not defined:
            bad.append(f"{crate.name}: no numbered requirements in spec/")
            continue
        # Only series that the specification uses: "GB-32100" or "SHA-256" is no citation.
        series = "|".join(sorted({number.split("-")[0] for number in defined}))
        citation = re.compile(rf"(?<![\w-])((?:{series})-\d{{1,3}})(?![\w-])")
        cited = set()
        for pattern in CITING:
            for file in crate.glob(pattern):
                for number, line in enumerate(file.read_text().splitlines(), 1):
                    for name in citation.findall(line):
                        cited.add(name)
                        if name not in mentioned:
                            bad.append(f"{file.relative_to(ROOT)}:{number}: {name} is in no specification")
        unheard = sorted(set(defined) - cited, key=lambda n: (n.split("-")[0], int(n.split("-")[1])))
        print(f"   {crate.name}: {len(defined)} requirements, {len(defined) - len(unheard)} cited"
              + (f"; not cited: {' '.join(unheard)}" if unheard else ""))
    if bad:
        print(*bad[:40], sep="\n")
        sys.exit(f"requirements: {len(bad)} breaches")


if __name__ == "__main__":
    main()
