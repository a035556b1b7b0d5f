#!/usr/bin/env python3
"""Check that what our Markdown files link to inside the repository exists.

Usage: scripts/verify/links.py
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|<(?:img|a)\s[^>]*(?:src|href)=\"([^\"]+)\"")
CODE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
OUTSIDE = re.compile(r"^([a-z][a-z0-9+.-]*:|//|#)", re.IGNORECASE)


def documents() -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.md"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return [path for line in answer.splitlines() if (path := ROOT / line).exists()]


def broken_links(document: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", CODE.sub("", document.read_text(encoding="utf-8")))
    broken = []
    for match in LINK.finditer(text):
        target = match[1] or match[2]
        if OUTSIDE.match(target):
            continue
        path = unquote(target.split("#")[0].split("?")[0])
        base = ROOT if path.startswith("/") else document.parent
        if not (base / path.lstrip("/")).exists():
            broken.append(target)
    return broken


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    found = documents()
    broken = [(document, target) for document in found for target in broken_links(document)]
    for document, target in broken:
        print(f"{document.relative_to(ROOT)}: {target} does not exist", file=sys.stderr)
    print(f"{len(found)} documents, {len(broken)} broken links")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
