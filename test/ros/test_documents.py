# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/parameters.md says of parameters is what the nodes declare."""
from pathlib import Path

import pytest

from fanet_ros.ros.parameter_tables import TABLES, markdown_table

PAGE = Path(__file__).parents[2] / 'docs' / 'parameters.md'


@pytest.mark.parametrize('executable', TABLES)
def test_page_holds_the_parameter_table_of(executable: str) -> None:
    text = PAGE.read_text(encoding='utf-8')
    begin = f'<!-- table of {executable} -->'
    assert begin in text
    table = text.split(begin)[1].split('<!-- end -->')[0].strip()
    assert table == markdown_table(TABLES[executable]), \
        'paste the output of python -m fanet_ros.ros.parameter_tables into docs/parameters.md'
