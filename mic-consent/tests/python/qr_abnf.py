"""Texts under the ABNF of the specification with PyPI `abnf`.

In: abnf, right and wrong (texts).
Out: refused (right texts that do not match), passed (wrong ones that do).
"""

import json
import sys

import abnf

given = json.load(sys.stdin)


class Grammar(abnf.Rule):
    pass


Grammar.load_grammar(given["abnf"].replace("\n", "\r\n"))


def matches(text):
    try:
        Grammar("token-text").parse_all(text)
        return True
    except abnf.ParseError:
        return False


json.dump(
    {
        "refused": [text for text in given["right"] if not matches(text)],
        "passed": [text for text in given["wrong"] if matches(text)],
    },
    sys.stdout,
)
