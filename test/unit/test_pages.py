# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Links in the documentation resolve, and the tests it names exist."""
from __future__ import annotations

import ast
import functools
import json
import re
from datetime import date
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PAGES = sorted([REPO / 'README.md', REPO / 'CONTRIBUTING.md', *(REPO / 'docs').glob('*.md'),
                *(REPO / 'weights').glob('*.md')])
LINK = re.compile(r'\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)')
FEATURES = REPO / 'docs' / 'features.md'


def prose(path: Path) -> str:
    """Text of a page without its code."""
    text = re.sub(r'^```.*?^```', '', path.read_text(encoding='utf-8'), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r'`[^`\n]*`', '', re.sub(r'^    .*$', '', text, flags=re.MULTILINE))


def links(path: Path) -> list[tuple[str, str]]:
    """Text and target of every link inside the repository."""
    return [(text, target) for text, target in LINK.findall(prose(path)) if not re.match(r'[a-z]+:', target)]


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """Anchors of the page, as code hosts derive them from its headings."""
    headings = re.findall(r'^#+ +(.+?) *$', re.sub(
        r'^```.*?^```', '', path.read_text(encoding='utf-8'), flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE)
    return frozenset(re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings)


@functools.cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding='utf-8'))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def faults(path: Path) -> list[str]:
    """Every broken link of the page, and every test that is not in the linked file."""
    found = []
    for text, link in links(path):
        name, _, anchor = link.partition('#')
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            found.append(f'{link}: there is no such file')
        elif anchor and anchor not in anchors(target):
            found.append(f'{link}: there is no such heading')
        elif text.startswith('test_') and text not in functions_of(target):
            found.append(f'{link}: there is no {text} in it')
    return found


def rows() -> list[list[str]]:
    """Cells of every row of the feature tables, without the headers."""
    tables = re.findall(r'(?:^\|.*\n)+', FEATURES.read_text(encoding='utf-8'), flags=re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.name)
def test_every_link_resolves(path: Path) -> None:
    assert not faults(path)


@pytest.mark.parametrize('row', rows(), ids=lambda row: row[0].replace(' ', '_'))
def test_every_feature_names_the_tests_that_prove_it(row: list[str]) -> None:
    assert len(row) == 4 and all(row), 'expected feature, what it is here, proof, others'
    proofs = LINK.findall(row[2])
    assert proofs, 'no test is named'
    for name, link in proofs:
        assert name.startswith('test_') and re.fullmatch(r'\.\./test/\S+/test_\w+\.py', link), (name, link)
        assert name in functions_of((FEATURES.parent / link).resolve()), f'there is no {name} in {link}'


def test_the_readme_links_every_page() -> None:
    linked = {(REPO / link.partition('#')[0]).resolve() for _, link in links(REPO / 'README.md')}
    assert set((REPO / 'docs').glob('*.md')) <= linked


@pytest.mark.parametrize('path', sorted((REPO / 'benchmarks').iterdir()), ids=lambda path: path.name)
def test_raw_figures_are_linked_and_name_their_origin_but_no_path_of_it(path: Path) -> None:
    assert any((page.parent / link).resolve() == path for page in PAGES for _, link in links(page))
    text = path.read_text(encoding='utf-8')
    assert not re.search(r'''["'\s=](/\w|~|[A-Z]:[\\/])''', text)       # in a command as well
    content = json.loads(text)
    assert content['command'] and content['machine'] and date.fromisoformat(content['date'])


@pytest.mark.parametrize(('text', 'fault'), [
    ('[a](missing.md)', 'no such file'), ('[a](page.md#none)', 'no such heading'), ('[a](#none)', 'no such heading'),
    ('[test_b](test_a.py)', 'no test_b in it'), ('[`code` here](missing.md)', 'no such file')])
def test_faults_are_detected(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / 'test_a.py').write_text('def test_a(): pass\n')
    page = tmp_path / 'page.md'
    page.write_text(f'# A heading: `with` code\n\n{text}\n')
    assert len(faults(page)) == 1 and fault in faults(page)[0]


def test_a_correct_page_passes(tmp_path: Path) -> None:
    (tmp_path / 'test_a.py').write_text('def test_a(): pass\n')
    page = tmp_path / 'page.md'
    page.write_text('# A heading: `with` code\n\n[a](#a-heading-with-code) [test_a](test_a.py) [w](https://a.b)\n\n'
                    '    [in code](missing.md)\n\n`[x](missing.md)`\n')
    assert not faults(page)
