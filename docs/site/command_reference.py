"""The reference of the command: the help of each verb, with a table for each group of flags."""

import re
import subprocess

FLAG = re.compile(r"^  (\S.*?)(?: {2,}(.*))?$")
COMMON = re.compile(r"^\| `-h,--help` ")  # said once, at the top
TEXT = str.maketrans({"<": "&lt;", "|": "\\|", "*": "\\*"})


def page(command):
    def help_of(*words):
        return subprocess.run([command, *words, "--help"], capture_output=True, text=True, check=True).stdout

    def verbs(text):
        return re.findall(r"^  ([a-z][a-z-]+)  ", text.partition("Subcommands:")[2], flags=re.MULTILINE)

    top = help_of()
    lines = top.strip().splitlines()
    out = ["# The command", "", lines[0], "", *lines[-2:], "", "Every verb has `--help`."]
    for verb in verbs(top):
        inner = verbs(help_of(verb)) if "Subcommands:" in help_of(verb) else []
        for words in [(verb, name) for name in inner] or [(verb,)]:
            out += ["", f"## {' '.join(words)}", "", section(help_of(*words))]
    return "\n".join(out) + "\n"


def section(text):
    """The help of a verb as Markdown."""
    out, rows, heading = [], [], ""

    def close_table():
        if rows:
            name, what = ("Arguments", "argument") if heading == "Positionals" else (heading, "flag")
            out.extend(["", f"**{name}**", "", f"| {what} | meaning |", "|---|---|", *rows])
        rows.clear()

    head, _, examples = re.split(r"^(Examples?:)$", text, maxsplit=1, flags=re.MULTILINE) if "Example" in text else (text, "", "")
    for line in head.splitlines():
        group = re.fullmatch(r"([A-Z][a-z]+):", line)
        flag = FLAG.match(line)
        if group:
            close_table()
            heading = group[1]
        elif line.startswith("Usage: "):
            out += ["", f"`{line.removeprefix('Usage: ')}`"]
        elif flag and heading:
            name = flag[1].removesuffix(" REQUIRED")
            needed = "" if name == flag[1] else "**required**: "
            row = f"| `{name}` | {needed}{(flag[2] or '').translate(TEXT)} |"
            if not COMMON.match(row):
                rows.append(row)
        elif line.strip():
            out.append(sentence(line))
    close_table()
    code = []  # commands are indented, and the rest is text
    for line in [*examples.strip("\n").splitlines(), ""]:
        if line.startswith("  "):
            code.append(line[2:])
            continue
        if code:
            out += ["", "```sh", *code, "```", ""]
            code = []
        out.append(line.translate(TEXT))
    return "\n".join(out)


def sentence(line):
    return line[0].upper() + line[1:] + "." * (not line.endswith((".", ":")))
