#!/usr/bin/env python3
"""Check that every dependency's licence is in the list of those allowed (.config/licences.txt).

Usage: scripts/verify/licences.py [--all]
  --all   dependencies of every platform, not of this one alone (may download their sources)
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED_FILE = ROOT / ".config" / "licences.txt"


def allowed_licences() -> set[str]:
    lines = ALLOWED_FILE.read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def tokens(expression: str) -> list[str]:
    """The parts of an SPDX expression. Crates once wrote MIT/Apache-2.0 for MIT OR Apache-2.0."""
    spaced = expression.replace("/", " OR ")
    joined = re.sub(r"\s+WITH\s+", "~", spaced)
    return [part.replace("~", " WITH ") for part in re.findall(r"[()]|[^\s()]+", joined)]


class Expression:
    """Says whether an SPDX expression is satisfied: OR binds less than AND."""

    def __init__(self, expression: str, allowed: set[str]) -> None:
        self.rest = tokens(expression)
        self.allowed = allowed

    def is_allowed(self) -> bool:
        value = self.either()
        if self.rest:
            raise ValueError(f"unexpected {self.rest[0]}")
        return value

    def either(self) -> bool:
        value = self.both()
        while self.rest[:1] == ["OR"]:
            self.rest.pop(0)
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.one()
        while self.rest[:1] == ["AND"]:
            self.rest.pop(0)
            value = self.one() and value
        return value

    def one(self) -> bool:
        if not self.rest:
            raise ValueError("ends too early")
        part = self.rest.pop(0)
        if part != "(":
            return part in self.allowed
        value = self.either()
        if self.rest[:1] != [")"]:
            raise ValueError("a parenthesis is not closed")
        self.rest.pop(0)
        return value


def host() -> str:
    answer = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.*)$", answer, re.MULTILINE)[1]


def packages(every_platform: bool) -> list[dict]:
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    if not every_platform:
        command += ["--filter-platform", host()]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    metadata = json.loads(answer)
    used = {node["id"] for node in metadata["resolve"]["nodes"]}
    return [package for package in metadata["packages"] if package["id"] in used]


def complaint(package: dict, allowed: set[str]) -> str | None:
    name = f"{package['name']} {package['version']}"
    licence = package["license"]
    if not licence:
        return f"{name}: names no licence"
    try:
        if Expression(licence, allowed).is_allowed():
            return None
    except ValueError as problem:
        return f"{name}: cannot read its licence {licence!r}: {problem}"
    return f"{name}: {licence} is not in .config/licences.txt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="dependencies of every platform")
    found = packages(parser.parse_args().all)
    allowed = allowed_licences()
    complaints = [text for package in found if (text := complaint(package, allowed))]
    for text in complaints:
        print(text, file=sys.stderr)
    print(f"{len(found)} packages, {len(complaints)} with a licence that is not allowed")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
