"""What the site has beyond the pages of the repository, as hooks of MkDocs.

- docs/reference/command.md: the help of each verb of the command, which is asked for it (PARSIMONY names it).
- docs/reference/python.md: the docstrings of parsimony_ml.
- docs/reference/cpp/: the public headers.
- docs/reference/references.md: the entries of references.bib; citations [key] lead there.
- A page for each source file or folder that a text links to.
- as_image(), with which the code of the tutorials shows figures of matplotlib.
"""

import base64
import builtins
import importlib
import inspect
import io
import os
import pathlib
import re
import sys

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/site"))
import command_reference  # noqa: E402
import cpp_reference  # noqa: E402

KEY = r"[a-z]+(?:19|20)[0-9]{2}[a-z0-9]*"
CITATION = re.compile(rf"\[({KEY}(?:, {KEY})*)\](?!\()")
LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?(?=\))")
LANGUAGES = {".hpp": "cpp", ".cpp": "cpp", ".py": "python", ".json": "json", ".sh": "sh", ".cff": "yaml", ".bib": "bibtex"}
MEDIA = {".md", ".png", ".svg"}
references = {}  # key -> a line of Markdown


def on_config(config):
    sys.path.insert(0, str(ROOT / os.environ.get("PARSIMONY_PACKAGE", "build/release/python")))
    references.update(read_references((ROOT / "docs/references.bib").read_text()))
    pages = [{f"parsimony::{room}": f"docs/reference/cpp/{room}.md"} for room in cpp_reference.rooms(ROOT)]
    next(part for part in reference_part(config["nav"]) if "C++" in part)["C++"] = pages
    return config


def reference_part(nav):
    return next(part["Reference"] for part in nav if "Reference" in part)


def as_image(figure):
    """The figure as HTML."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100)
    return f'<img src="data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}" alt="">'


builtins.as_image = as_image


def on_files(files, config):
    def add(uri, content):
        files.append(File.generated(config, uri, content=content))

    command = os.environ.get("PARSIMONY", str(ROOT / "build/release/cli/parsimony"))
    if not os.access(command, os.X_OK):
        raise PluginError(f"{command}: there is no such program; ./dev build makes it, or PARSIMONY names another")
    add("docs/reference/command.md", command_reference.page(command))
    add("docs/reference/python.md", python_page())
    for room, text in cpp_reference.pages(ROOT).items():
        add(f"docs/reference/cpp/{room}.md", text)
    add("docs/reference/references.md", "# References\n\n" + "\n".join(
        f'<span id="{key}"></span>**[{key}]** {text}\n' for key, text in sorted(references.items())))
    for target in sorted({target for page in files.documentation_pages() for target in sources_of(page)}):
        add(page_of(target), folder_page(target) if (ROOT / target).is_dir() else file_page(target))
    return files


def on_page_markdown(markdown, page, config, files):
    folder = pathlib.PurePosixPath(page.file.src_uri).parent

    def link(match):
        target = resolve(folder, match[1])
        if target is None or pathlib.PurePosixPath(target).suffix in MEDIA:
            return match[0]
        return relative(page_of(target), folder)

    def citation(match):
        keys = match[1].split(", ")
        if any(key not in references for key in keys):
            return match[0]
        there = relative("docs/reference/references.md", folder)
        return "\\[" + ", ".join(f"[{key}]({there}#{key})" for key in keys) + "\\]"

    return outside_code(LINK, link, outside_code(CITATION, citation, markdown))


def python_page():
    """Directives of mkdocstrings for all that the package offers, each with the table of its options."""
    out = ["# Python"]
    for module in ("", ".sklearn", ".quant", ".torch", ".transformers", ".run"):
        module = f"parsimony_ml{module}"
        loaded = importlib.import_module(module)
        out += [f"## {module}", loaded.__doc__]
        for name in sorted(loaded.__all__, key=lambda name: (name.endswith("Error"), name.lower())):
            found = getattr(loaded, name)
            if found.__module__ == "parsimony_ml._core":
                out += [f"### {name}", *members_of(found)]
            else:
                out += [f"::: {module}.{name}", option_table(found.__doc__ or "")]
    return "\n\n".join(out) + "\n"


def members_of(found):
    """The docstrings of a class that is written in C++, which mkdocstrings does not see."""
    yield inspect.cleandoc(found.__doc__ or "")
    for name, member in vars(found).items():
        if not name.startswith("_") and member.__doc__:
            yield f"- `{name}`: {' '.join(member.__doc__.split())}"


def option_table(text):
    """The options at the end of a docstring, which the package adds when it is loaded."""
    lines = text.partition("\n\nOptions:\n")[2].strip().splitlines()
    rows = [re.match(r" *(\w+) \((.*?)(?:, default (.*?))?\): (.*)", line).groups() for line in lines]
    bar = "\\|"
    cells = [f"| `{name}` | {values.replace('|', 'or')} | {default or ''} | {help.replace('|', bar)} |" for name, values, default, help in rows]
    return "\n".join(["| option | values | default | meaning |", "|---|---|---|---|", *cells]) if cells else ""


def outside_code(pattern, replace, markdown):
    """Replaces where no code is: neither in fences, nor in `backquotes`, nor in indented lines."""
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`|^    [^\n]*$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if i % 2 else pattern.sub(replace, part) for i, part in enumerate(parts))


def resolve(folder, link):
    """The path from the root that a link of a page in `folder` leads to, or None where it is not in the repository."""
    path = os.path.normpath(ROOT / folder / link)
    return os.path.relpath(path, ROOT) if path.startswith(f"{ROOT}/") and os.path.exists(path) else None


def relative(uri, folder):
    return os.path.relpath(uri, folder)


def sources_of(page):
    """The source files and folders that a page links to."""
    if not (ROOT / page.src_uri).is_file():
        return
    folder = pathlib.PurePosixPath(page.src_uri).parent
    for match in LINK.finditer((ROOT / page.src_uri).read_text()):
        target = resolve(folder, match[1])
        if target and pathlib.PurePosixPath(target).suffix not in MEDIA:
            yield target


def page_of(target):
    return f"files/{target}.md"


def file_page(target):
    path = ROOT / target
    return f"# {target}\n\n```{LANGUAGES.get(path.suffix, 'text')}\n{path.read_text()}```\n"


def folder_page(target):
    names = sorted(path.name + "/" * path.is_dir() for path in (ROOT / target).iterdir() if not path.name.startswith((".", "__")))
    return f"# {target}\n\n" + "\n".join(f"- `{name}`" for name in names) + "\n"


def read_references(text):
    """key -> authors, title, place and year of each entry."""
    found = {}
    for entry in re.split(r"^@", text, flags=re.MULTILINE)[1:]:
        key = re.match(r"\w+\{([^,]+),", entry)[1]
        fields = {name: value for name, _, value in re.findall(r"\b(\w+) = (\{((?:[^{}]|\{[^{}]*\})*)\}|\w+)", entry) for value in [value or _]}
        fields = {name: re.sub(r"[{}]", "", value) for name, value in fields.items()}
        authors = fields.get("author", "").replace(" and ", ", ")
        place = fields.get("journal") or fields.get("booktitle") or fields.get("howpublished") or fields.get("note") or ""
        found[key] = ". ".join(part for part in (authors, fields["title"], f"*{place}*" if place else "", fields["year"]) if part) + "."
    return found
