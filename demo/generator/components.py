"""Components of the demo city: some near the premises of the busiest cells of one district. Invented, always the same.

``python -m demo.generator.components`` writes ``demo/dongying/components.csv`` anew from the other files of the folder.
"""

import csv
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely

FOLDER = Path(__file__).parent.parent / "dongying"
DISTRICT, CELLS, A_CELL, SEED = "370502", 40, 9, 30428
TITLES = ["部件标识码", "部件名称", "主管部门", "权属单位", "养护单位", "部件状态", "经度", "纬度", "普查日期", "备注"]
STATES = ("完好",) * 24 + ("破损", "破损", "丢失", "废弃", "移除")
KEEPERS = {"01": "CG", "02": "JJ", "03": "CG", "04": "CG", "05": "CG", "0101": "SW", "0102": "SW", "0103": "SW",
           "0104": "SW", "0110": "XF"}  # fmt: skip
OFTEN = ("0103", "0104", "0107", "0107", "0401", "0401", "0302", "0202", "0102")
FAR = (0.0001, 0.0006)  # degrees from a place of the register


def rows() -> Iterator[list[Any]]:
    """Yield the lines below the titles."""
    rng = random.Random(SEED)
    classes = {code: name for code, name in _table("component_classes.csv", "code", "name_zh") if len(code) == 4}
    running: dict[str, int] = defaultdict(int)
    for shape, places in _cells():
        for kind in [*rng.sample(OFTEN, A_CELL // 3 * 2), *rng.sample(sorted(classes), A_CELL - A_CELL // 3 * 2)]:
            lon, lat = _near(rng, shape, places)
            running[kind] += 1
            keeper = KEEPERS.get(kind, KEEPERS[kind[:2]])
            yield [
                f"{DISTRICT}{kind}{running[kind]:06}", classes[kind], f"{DISTRICT}-{keeper}", "东营区人民政府", "",
                rng.choice(STATES), f"{lon:.6f}", f"{lat:.6f}", f"2026-{rng.randint(3, 9):02}-{rng.randint(1, 28):02}",
                "演示数据",
            ]  # fmt: skip


def _table(name: str, *columns: str) -> list[tuple[str, ...]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return [tuple(row[column] for column in columns) for row in csv.DictReader(file)]


def _cells() -> Iterator[tuple[Any, list[Any]]]:
    """Yield the base cells of the district with the most premises: outline, and points of those."""
    with gzip.open(FOLDER / "cells.geojson.gz", "rt", encoding="utf-8") as file:
        features = json.load(file)["features"]
    cells = [
        (one["properties"]["code"], shapely.from_geojson(json.dumps(one["geometry"])))
        for one in features
        if one["properties"]["code"].startswith(DISTRICT) and one["properties"].get("kind", "base") == "base"
    ]
    points = [shapely.Point(float(lon), float(lat)) for lon, lat in _table("premises.csv", "lon", "lat")]
    tree = shapely.STRtree(points)
    held = [(code, shape, sorted(tree.query(shape, predicate="contains").tolist())) for code, shape in cells]
    for _code, shape, inside in sorted(held, key=lambda one: (-len(one[2]), one[0]))[:CELLS]:
        yield shape, [points[index] for index in inside]


def _near(rng: random.Random, shape: Any, places: list[Any]) -> tuple[float, float]:
    """Return a point of the cell a little way from one of its places."""
    while True:
        place = rng.choice(places)
        lon, lat = (xy + rng.choice((-1, 1)) * rng.uniform(*FAR) for xy in (place.x, place.y))
        if shape.contains(shapely.Point(lon, lat)):
            return lon, lat


def write() -> None:
    with (FOLDER / "components.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(TITLES)
        out.writerows(rows())


if __name__ == "__main__":
    write()
