"""The reference of C++, a page for each room, from the XML that Doxygen makes of the public headers."""

import collections
import pathlib
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

SETTINGS = """
INPUT = include
STRIP_FROM_PATH = include
RECURSIVE = YES
EXTRACT_ALL = YES
JAVADOC_AUTOBRIEF = NO
MARKDOWN_SUPPORT = NO
AUTOLINK_SUPPORT = NO
GENERATE_XML = YES
GENERATE_HTML = NO
GENERATE_LATEX = NO
XML_PROGRAMLISTING = NO
QUIET = YES
WARNINGS = NO
"""
ENTRIES = ("cluster.hpp", "denoise.hpp", "learn.hpp", "certify.hpp", "compress.hpp")  # first on the page of their room
FIELD = re.compile(r'Field\{\s*"(\w+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')  # of describe(): the name and the help of an option
HIDDEN = re.compile(r"^(describe|names_of)$")  # the words of options are in the tables of the command


def rooms(root):
    """The rooms with public headers."""
    return sorted(path.name for path in (root / "include/parsimony").iterdir() if path.is_dir())


def pages(root):
    """Name of the room -> Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        settings = f"{SETTINGS}\nOUTPUT_DIRECTORY = {folder}\n"
        try:
            subprocess.run(["doxygen", "-"], input=settings, text=True, cwd=root, check=True, capture_output=True)
        except FileNotFoundError:
            raise RuntimeError("the reference of C++ needs Doxygen (Debian and Ubuntu: doxygen)") from None
        helps = help_of_options(root)
        entities = collections.defaultdict(list)  # header -> (line, Markdown)
        for path in sorted(pathlib.Path(folder, "xml").glob("*.xml")):
            for compound in ElementTree.parse(path).getroot().iterfind("compounddef"):
                for header, line, text in described(compound, helps):
                    entities[header].append((line, text))
    found = {}
    for room in rooms(root):
        headers = sorted((root / "include/parsimony" / room).glob("*.hpp"), key=lambda path: (path.name not in ENTRIES, path.name))
        sections = [section(root, path, entities[f"parsimony/{room}/{path.name}"]) for path in headers]
        if sections:
            found[room] = f"# parsimony::{room}\n\n" + "\n".join(sections)
    return found


def help_of_options(root):
    """(header, option) -> its help, and (room, option) for those that the headers of a room share."""
    found = {}
    for path in sorted((root / "include/parsimony").glob("*/*.hpp")):
        header = path.relative_to(root / "include").as_posix()
        for name, strings in FIELD.findall(path.read_text()):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', strings))
            found[header, name] = found[path.parent.name, name] = text
    return found


def section(root, path, parts):
    """A header: its first comment, then its functions and types in their order."""
    lead = re.match(r"((?://[^\n]*\n)+)", path.read_text())
    lead = re.sub(r"^// ?", "", lead[1], flags=re.MULTILINE) if lead else ""
    body, heading = "", ""
    for _, text in sorted(parts, key=lambda part: part[0]):
        same = text.split("\n", 1)[0] == heading  # overloads have one heading
        heading = text.split("\n", 1)[0]
        body += text.split("\n", 1)[1] if same else "\n" + text
    return f"## {path.name}\n\n`#include \"{path.relative_to(root / 'include')}\"`\n\n{lead}\n{body}\n"


def described(compound, helps):
    """(header, line, Markdown) of each function and type of a namespace, class or struct."""
    kind = compound.get("kind")
    if kind in ("struct", "class") and compound.get("prot") == "public":
        place = compound.find("location")
        name = text_of(compound.find("compoundname"))
        if "<" not in name and not re.search(r"::\w+::\w+::\w+$", name):
            yield place.get("file"), int(place.get("line")), type_text(compound, name, helps)
    elif kind == "namespace":
        for member in compound.iterfind("sectiondef/memberdef"):
            place = member.find("location")
            name = text_of(member.find("name"))
            if not HIDDEN.match(name) and "detail" not in text_of(compound.find("compoundname")):
                text = member_text(member)
                if text:
                    yield place.get("file"), int(place.get("line")), text


def member_text(member):
    kind, name = member.get("kind"), text_of(member.find("name"))
    if kind == "function":
        return f"### {name}\n\n```cpp\n{signature(member)};\n```\n\n{comment(member)}\n"
    if kind == "enum":
        rows = [(f"`{text_of(value.find('name'))}`", comment(value)) for value in member.iterfind("enumvalue")]
        return f"### {name}\n\n{comment(member)}\n\n{table(('value', 'meaning'), rows)}"
    return ""


def type_text(compound, name, helps):
    short = name.rsplit("::", 1)[-1]
    fields, functions = [], []
    for member in compound.iterfind("sectiondef/memberdef"):
        if member.get("prot") != "public":
            continue
        if member.get("kind") == "variable":
            option, header = text_of(member.find("name")), compound.find("location").get("file")
            default = text_of(member.find("initializer")).lstrip("= ").strip()
            meaning = comment(member)
            if not meaning and short.endswith("Options"):
                meaning = helps.get((header, option)) or helps.get((header.split("/")[1], option), "")
            fields.append((f"`{option}`", f"`{type_of(member)}`", f"`{default}`" if default else "", meaning))
        elif member.get("kind") == "function" and "delete" not in text_of(member.find("argsstring")):
            functions.append(f"```cpp\n{signature(member)};\n```\n\n{comment(member)}\n")
    base = ", ".join(text_of(each) for each in compound.iterfind("basecompoundref"))
    head = f"{compound.get('kind')} {short}" + (f" : {base}" if base else "")
    out = [f"### {short}", "", f"`{head}`", "", comment(compound), ""]
    if fields:
        out.append(table(("field", "type", "default", "meaning"), fields))
    return "\n".join(out + functions) + "\n"


def signature(member):
    """As in the header, with a line for each parameter where one line is too long."""
    result = type_of(member)
    start = f"{result} {text_of(member.find('name'))}(".lstrip()
    parameters = []
    for parameter in member.iterfind("param"):
        text = f"{type_text_of(parameter.find('type'))} {text_of(parameter.find('declname'))}".strip()
        default = text_of(parameter.find("defval"))
        parameters.append(text + (f" = {default}" if default else ""))
    end = re.sub(r"^.*\)", ")", text_of(member.find("argsstring")))
    line = start + ", ".join(parameters) + end
    if len(line) > 100:
        line = start + "\n    " + ",\n    ".join(parameters) + end
    templates = [" ".join(part for part in (type_text_of(each.find("type")), text_of(each.find("declname"))) if part)
                 for each in member.iterfind("templateparamlist/param")]
    return (f"template <{', '.join(templates)}>\n" if templates else "") + line


def type_of(member):
    return type_text_of(member.find("type"))


def type_text_of(element):
    text = " ".join(text_of(element).split())
    return text.replace("< ", "<").replace(" >", ">").replace(" &", "&").replace(" *", "*")


def comment(element):
    parts = [element.find("briefdescription"), element.find("detaileddescription")]
    paragraphs = [markdown(part).strip() for part in parts if part is not None]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def markdown(element):
    """Paragraphs, lists and code of a comment."""
    out = element.text or ""
    for child in element:
        inner = markdown(child)
        out += {"para": f"{inner}\n\n", "computeroutput": f"`{inner}`", "listitem": f"- {inner.strip()}\n",
                "itemizedlist": f"\n\n{inner}\n", "simplesect": f"{inner}\n"}.get(child.tag, inner)
        out += child.tail or ""
    return out


def text_of(element):
    return "" if element is None else "".join(element.itertext()).strip()


def table(heads, rows):
    used = [i for i in range(len(heads)) if any(row[i] for row in rows)]

    def cells(row):
        return "| " + " | ".join(row[i].replace("|", "\\|").replace("\n", " ") for i in used) + " |\n"

    return cells(heads) + "|" + "---|" * len(used) + "\n" + "".join(cells(row) for row in rows) + "\n"
