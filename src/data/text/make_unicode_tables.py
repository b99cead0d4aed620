"""Writes unicode_tables.hpp: the properties of characters that tokenizers need, as the package `tokenizers` has them.

    python src/data/text/make_unicode_tables.py     # needs tokenizers

The package takes them from several versions of Unicode: letters and numbers from 16.0, punctuation, marks and
invisible characters from 8.0, lower case from the newest. A tokenizer that is to give the same numbers must do so too,
so that each property is asked of the package itself, character by character.
"""

import pathlib

import tokenizers
from tokenizers import normalizers, pre_tokenizers

CHARACTERS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
WIDTH = 110


def bert(**switches):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **switches})


def ranges(wanted):
    out = []
    for c in CHARACTERS:
        if not wanted(c):
            continue
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def lines(items):
    text, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > WIDTH:
            text.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join([*text, line]).rstrip(",")


def table(name, comment, found):
    return f"// {comment}\ninline constexpr CharacterRange {name}[] = {{\n" + lines(
        f"{{0x{a:X}, 0x{b:X}}}" for a, b in found) + "};\n"


def changes(before, after):
    """Runs of characters that become others at one distance: [first, last, step, distance]."""
    runs = []
    for c, value in zip(before, after):
        if runs:
            run = runs[-1]
            step = c - run[1]
            if value - c == run[3] and step in (1, 2) and (run[2] in (0, step)):
                run[1], run[2] = c, step
                continue
        runs.append([c, c, 0, value - c])
    return runs


byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
alone = pre_tokenizers.BertPreTokenizer()
clean, strip, lower = bert(clean_text=True), bert(strip_accents=True), bert(lowercase=True)

letters = ranges(lambda c: len(byte_level.pre_tokenize_str("a" + chr(c))) == 1)
numbers = ranges(lambda c: len(byte_level.pre_tokenize_str("1" + chr(c))) == 1)
spaces = ranges(lambda c: len(alone.pre_tokenize_str(f"a{chr(c)}b")) == 2)
punctuation = ranges(lambda c: len(alone.pre_tokenize_str(f"a{chr(c)}b")) == 3)
dropped = ranges(lambda c: clean.normalize_str(f"a{chr(c)}b") == "ab")
chinese = ranges(lambda c: bert(handle_chinese_chars=True).normalize_str(chr(c)) != chr(c))

stripped = {c: strip.normalize_str(chr(c)) for c in CHARACTERS}
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by a formula
marks = ranges(lambda c: stripped[c] == "")
parted = {c: s for c, s in stripped.items() if s not in ("", chr(c)) and c not in HANGUL}
assert all(len(s) <= 3 for s in parted.values())
lowered = {c: lower.normalize_str(chr(c)) for c in CHARACTERS}
lowered = {c: s for c, s in lowered.items() if s != chr(c)}
assert {c for c, s in lowered.items() if len(s) != 1} == {0x130}  # I with a dot becomes i and a dot: see text.cpp
lowered = {c: ord(s) for c, s in lowered.items() if c != 0x130}

single = {c: ord(s) for c, s in parted.items() if len(s) == 1}
several = {c: s for c, s in parted.items() if len(s) > 1}


def pair_table(name, comment, mapping):
    return f"// {comment}\ninline constexpr CharacterPair {name}[] = {{\n" + lines(
        f"{{0x{a:X}, 0x{b:X}}}" for a, b in mapping.items()) + "};\n"


def change_table(name, comment, mapping):
    runs = changes(list(mapping), list(mapping.values()))
    return f"// {comment}\ninline constexpr CharacterChange {name}[] = {{\n" + lines(
        f"{{0x{a:X}, 0x{b:X}, {max(step, 1)}, {distance}}}" for a, b, step, distance in runs) + "};\n"


text = f"""// Written by make_unicode_tables.py with tokenizers {tokenizers.__version__}: properties of characters.
#pragma once

namespace parsimony::data {{

struct CharacterRange {{
  char32_t first, last;
}};

struct CharacterPair {{
  char32_t first, becomes;
}};

/// Each step-th character of a range becomes the one that is `distance` further.
struct CharacterChange {{
  char32_t first, last;
  int step, distance;
}};

/// A character that becomes several; unused places are 0.
struct CharacterParts {{
  char32_t first, parts[3];
}};

// clang-format off
"""
text += table("kLetters", "General category L.", letters) + "\n"
text += table("kNumbers", "General category N.", numbers) + "\n"
text += table("kSpaces", "Property White_Space.", spaces) + "\n"
text += table("kPunctuation", "General category P, and all signs of ASCII.", punctuation) + "\n"
text += table("kInvisible", "General categories Cc without tab and line ends, Cf and Co; U+FFFD.", dropped) + "\n"
text += table("kChinese", "Ideographs, each of which is a word of BERT.", chinese) + "\n"
text += table("kMarks", "Characters of which the canonical decomposition without general category Mn leaves nothing.",
              marks) + "\n"
text += pair_table("kWithoutMarks", "Other characters of which it leaves one.", single) + "\n"
text += "// Characters of which it leaves several.\ninline constexpr CharacterParts kParts[] = {\n" + lines(
    f"{{0x{c:X}, {{{', '.join(f'0x{ord(p):X}' for p in s)}}}}}" for c, s in several.items()) + "};\n\n"
text += change_table("kLowerCase", "Lower case, but for U+0130, which becomes two characters.", lowered)
text += """// clang-format on

}  // namespace parsimony::data
"""
pathlib.Path(__file__).with_name("unicode_tables.hpp").write_text(text)
