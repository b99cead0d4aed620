"""Follows every link, picture, script and style of the built site: python check_links.py build/site

Fails and names page and link where a local file or an anchor is missing. Links to other hosts are counted, not followed.
"""

import pathlib
import sys
import urllib.parse
from html.parser import HTMLParser


class Page(HTMLParser):
    """The addresses that a page names, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], {"", "top", "__tabbed"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    pages = {path: Page(path) for path in sorted(root.rglob("*.html"))}
    faults, followed, foreign = [], 0, 0
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                foreign += parts.scheme in ("http", "https")
                continue
            followed += 1
            # 404.html is shown at any address, so its links begin at the root of the site.
            base = root if link.startswith("/") else path.parent
            target = (base / urllib.parse.unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                faults.append(f"{path.relative_to(root)}: {link}: there is no such file")
            elif target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].anchors:
                faults.append(f"{path.relative_to(root)}: {link}: there is no such anchor")
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(pages)} pages, {followed} links followed, {len(faults)} lead nowhere, {foreign} to other hosts not followed")
    return 1 if faults or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
