"""Make the data of the demo city anew: `python -m demo.make_city` from the project's root.

Reads `demo/dongying/{divisions.csv, outlines.geojson, base/sea.geojson, matters.csv}`, which are kept by
hand, and writes the rest of that folder. The same seed and library versions give the same files; the result is
committed, since `bin/run` must not wait for it.
"""

import csv
import gzip
import json
import random
from pathlib import Path

import shapely
from shapely.geometry import mapping, shape

from demo.generator import cells as base_maker
from demo.generator import dedicated, offices, premises, workers
from demo.generator.names import spoken

FOLDER = Path(__file__).resolve().parent / "dongying"
SEED, BASE_CELLS, WORKERS, POSTS = 370500, 4010, 6100, 752


def write(name: str, header: str, rows: list) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header.split(","))
        out.writerows(rows)


def read_divisions() -> dict[str, dict[str, str]]:
    with (FOLDER / "divisions.csv").open(encoding="utf-8") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


def base_cells(divisions: dict) -> list[dict]:
    """Return the base cells with Chinese and English names after their villages."""
    features, counties, _ = base_maker.build(FOLDER, BASE_CELLS, SEED)
    ok, report = base_maker.check(features, counties)
    print(report)
    if not ok:
        raise SystemExit("the base cells are no exact coverage")
    found = []
    for feature in features:
        code, village = feature["properties"]["code"], divisions[feature["properties"]["code"][:12]]
        place_zh, place = base_maker.short_name(village["name_zh"]), village["name_en"]
        found.append({"code": code, "name_zh": f"{place_zh}第{int(code[12:])}网格", "name_en": f"{place} Cell {int(code[12:])}",
                      "kind": "base", "division": code[:12], "focus": "", "place_zh": place_zh, "place_en": place,
                      "km2": feature["properties"]["area_km2"], "shape": shape(feature["geometry"])})  # fmt: skip
    return found


def write_cells(cells: list[dict]) -> None:
    """Write all cells as one GeoJSON, a feature a line, five decimals (about a metre), packed."""
    lines = []
    for cell in cells:
        polygon = shapely.orient_polygons(cell["shape"]) if hasattr(shapely, "orient_polygons") else cell["shape"]
        geometry = json.loads(json.dumps(mapping(polygon)), parse_float=lambda text: round(float(text), 5))
        properties = {key: cell[key] for key in ("code", "name_zh", "name_en", "kind", "division", "focus")}
        properties["synthetic"] = True
        lines.append(
            json.dumps(
                {"type": "Feature", "properties": properties, "geometry": geometry},
                ensure_ascii=False,
                separators=(",", ":"),
            )
        )
    text = '{"type":"FeatureCollection","name":"cells","features":[\n' + ",\n".join(lines) + "\n]}\n"
    (FOLDER / "cells.geojson.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main() -> None:
    rng = random.Random(SEED)
    divisions = read_divisions()
    names = {code: (row["name_zh"], row["name_en"]) for code, row in divisions.items()}
    counties = {code: names[code] for code in divisions if len(code) == 6}
    towns = {code: names[code] for code in divisions if len(code) == 9}
    real = {code: towns[code] for code in towns if divisions[code]["statistical"] != "1"}

    base = base_cells(divisions)
    plots = dedicated.dedicated_cells(rng, base, {code: spoken(*town) for code, town in towns.items()})
    land = shapely.union_all([cell["shape"] for cell in base])
    sea = shape(json.loads((FOLDER / "base/sea.geojson").read_text("utf-8"))["features"][0]["geometry"])
    plots += dedicated.sea_cells(sea, land)
    every = sorted(base + plots, key=lambda cell: (cell["code"][:6], cell["kind"] != "base", cell["code"]))
    write_cells(every)

    harbours = [
        {
            "type": "Feature",
            "properties": {"name_zh": zh, "name_en": en},
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
        }
        for zh, en, lon, lat, _town in dedicated.HARBOURS
    ]
    layer = {"type": "FeatureCollection", "name": "harbours", "features": harbours}
    (FOLDER / "base/harbours.geojson").write_text(json.dumps(layer, ensure_ascii=False) + "\n", encoding="utf-8")

    points = {}
    for code in [*counties, *real]:
        inside = [c["shape"] for c in base if c["code"].startswith(code)]
        middle = shapely.union_all(inside).centroid
        seat = min(inside, key=lambda s: s.distance(middle)).representative_point()
        points[code] = (round(seat.x, 5), round(seat.y, 5))
    write(
        "centres.csv",
        "code,name_zh,name_en,level,division,posts,lon,lat,phone",
        offices.centres(counties, real, points, POSTS, rng),
    )
    write("departments.csv", "code,name_zh,name_en,area,parent", offices.departments(counties, real))

    people: dict[str, int] = {}
    homes = {code: f"ZX{code}" if code in real else f"ZX{code[:6]}" for code in towns}
    staff = workers.workers(rng, every, WORKERS, homes, people)
    write("workers.csv", ",".join(staff[0]), [list(row.values()) for row in staff])

    kinds = [[code, k[3], k[4], 1, k[1], k[2], k[5]] for code, k in premises.KINDS.items()]
    kinds.append(["government", "政府自持物业", "Government-owned building", 0, "m2", "", "市机关事务管理口径(演示)"])
    kinds.append(["school", "学校", "School", 0, "people", "", "教育部门登记口径(演示)"])
    write("premises_kinds.csv", "code,name_zh,name_en,nine_small,measure,limit,source", kinds)
    rows = premises.nine_small(rng, base, plots, towns, people)
    rows += premises.government(rng, base, real, counties, people)
    rows += premises.schools(rng, plots, towns, people)
    write(
        "premises.csv",
        "code,kind,name_zh,name_en,lon,lat,size,floor_area_m2,responsible,phone,address",
        [[f"CS{number:06d}", *row] for number, row in enumerate(rows, 1)],
    )
    by_kind = {kind: sum(cell["kind"] == kind for cell in every) for kind in ("base", "dedicated", "sea")}
    print(by_kind, len(staff), "workers", len(rows), "premises")


if __name__ == "__main__":
    main()
