"""Base cells of the demo city: a seeded Voronoi coverage of the county outlines, no gap and no overlap.

Real: county outlines, division codes, township and village names. Synthetic: every cell outline, every
township outline, and which cell carries which village name.

1. County -> township zones: Voronoi partition of ANCHORS, clipped.
2. The wished number of cells is shared among the zones by a density that grows towards URBAN_CENTRES
   and by the number of villages.
3. Zone -> cells: density-weighted Lloyd relaxation of random seeds, then their Voronoi partition.
4. All outlines are noded together by snap-rounding on a 1e-5 degree grid and polygonised, so that the
   rounded output is itself an exact coverage.
5. Cells of a zone are grouped compactly and given village codes.

The same seed and the same library versions give the same cells. Needs shapely >= 2.1.
"""

import csv
import json
import math
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import shape

GRID = 1e-5  # output resolution, degrees (about 1 m)
KX = 111.32 * math.cos(math.radians(37.55))  # km per degree of longitude
KY = 110.99  # km per degree of latitude

# Urban centres (lon, lat, radius km): cells shrink towards them. Approximate.
URBAN_CENTRES = [
    (118.500, 37.455, 5.0),  # 西城
    (118.675, 37.435, 5.0),  # 东城
    (118.548, 37.588, 2.5),  # 垦利城区
    (118.252, 37.490, 2.0),  # 利津城区
    (118.405, 37.055, 3.0),  # 广饶城区
    (118.525, 37.885, 2.0),  # 河口城区
    (118.490, 36.995, 1.5),  # 大王
    (118.860, 37.930, 1.0),  # 仙河
    (118.730, 37.870, 1.0),  # 孤岛
    (118.930, 38.060, 1.5),  # 东营港
]
SPACING_MIN, SPACING_MAX, SPACING_SLOPE = 0.8, 3.0, 0.15  # km, km, km per km

# Township-like zone anchors: code -> (county polygon, lon, lat).
# Placed by hand from general knowledge, NOT surveyed: errors of several km.
ANCHORS = {
    "370502001": ("370502", 118.517, 37.450),
    "370502002": ("370502", 118.540, 37.475),
    "370502003": ("370502", 118.680, 37.425),
    "370502004": ("370502", 118.575, 37.440),
    "370502005": ("370502", 118.625, 37.465),
    "370502006": ("370502", 118.462, 37.458),
    "370502102": ("370502", 118.490, 37.350),
    "370502103": ("370502", 118.705, 37.365),
    "370502104": ("370502", 118.385, 37.405),
    "370502105": ("370502", 118.285, 37.410),
    "370502400": ("370502", 118.535, 37.425),
    "370571400": ("370502", 118.745, 37.455),
    "370503001": ("370503", 118.527, 37.885),
    "370503002": ("370503", 118.600, 37.870),
    "370503100": ("370503", 118.395, 37.880),
    "370503101": ("370503", 118.855, 37.930),
    "370503102": ("370503", 118.730, 37.870),
    "370503103": ("370503", 118.300, 37.970),
    "370503400": ("370503", 118.500, 37.930),
    "370503401": ("370503", 118.400, 38.060),
    "370572402": ("370503", 118.930, 38.060),
    "370505001": ("370505", 118.548, 37.585),
    "370505002": ("370505", 118.610, 37.545),
    "370505101": ("370505", 118.440, 37.560),
    "370505102": ("370505", 118.380, 37.470),
    "370505104": ("370505", 118.760, 37.560),
    "370505105": ("370505", 118.800, 37.690),
    "370505106": ("370505", 118.310, 37.470),
    "370505400": ("370505", 118.620, 37.610),
    "370505402": ("370505", 118.900, 37.560),
    "370505403": ("370505", 119.100, 37.720),
    "370505404": ("370505", 118.850, 37.620),
    "370522001": ("370522", 118.252, 37.490),
    "370522002": ("370522", 118.285, 37.525),
    "370522101": ("370522", 118.170, 37.420),
    "370522102": ("370522", 118.350, 37.640),
    "370522103": ("370522", 118.480, 37.680),
    "370522104": ("370522", 118.560, 37.740),
    "370522201": ("370522", 118.210, 37.570),
    "370522206": ("370522", 118.610, 38.040),
    "370522400": ("370522", 118.225, 37.520),
    "370523001": ("370523", 118.405, 37.045),
    "370523002": ("370523", 118.430, 37.090),
    "370523003": ("370523", 118.590, 37.230),
    "370523101": ("370523", 118.490, 36.985),
    "370523102": ("370523", 118.510, 37.075),
    "370523106": ("370523", 118.335, 36.990),
    "370523107": ("370523", 118.610, 37.140),
    "370523108": ("370523", 118.420, 37.190),
    "370523109": ("370523", 118.460, 37.250),
    "370523400": ("370523", 118.680, 37.290),
    "370523401": ("370523", 118.900, 37.315),
}


# ---------------------------------------------------------------- helpers
def to_km(xy):
    """Lon/lat degrees to a flat local km plane (good to 1% over the city)."""
    return np.asarray(xy, dtype=float) * (KX, KY)


def to_deg(xy):
    return np.asarray(xy, dtype=float) / (KX, KY)


def spacing(xy_km):
    """Wished distance between cell centres (km) at points given in km."""
    d = np.full(len(xy_km), np.inf)
    for lon, lat, radius in URBAN_CENTRES:
        c = np.array([lon * KX, lat * KY])
        d = np.minimum(d, np.maximum(0.0, np.hypot(*(xy_km - c).T) - radius))
    return np.minimum(SPACING_MAX, SPACING_MIN + SPACING_SLOPE * d)


def density(xy_km):
    return spacing(xy_km) ** -2.0


def random_points(rng, poly, n):
    """n uniform random points inside poly."""
    x0, y0, x1, y1 = poly.bounds
    shapely.prepare(poly)
    got, have = [], 0
    while have < n:
        pts = rng.uniform((x0, y0), (x1, y1), size=(4 * n, 2))
        pts = pts[shapely.contains_xy(poly, pts[:, 0], pts[:, 1])]
        got.append(pts)
        have += len(pts)
    return np.concatenate(got)[:n]


def clipped_voronoi(seeds, poly):
    """Voronoi cells of seeds (n,2), clipped to poly, in the seeds' order."""
    if len(seeds) == 1:
        return [poly]
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=poly.envelope.buffer(5.0), ordered=True)
    )
    return [c.intersection(poly) for c in cells]


def join_strays(zones):
    """Give detached parts of a zone to the neighbour with the longest edge."""
    zones = list(zones)
    for i in range(len(zones)):
        parts = sorted(shapely.get_parts(zones[i]), key=lambda p: -p.area)
        kept = parts[:1]
        for p in parts[1:]:
            near = p.buffer(1e-6)
            edge = [0.0 if j == i else near.intersection(z.boundary).length for j, z in enumerate(zones)]
            j = int(np.argmax(edge))
            if edge[j] > 0.01:  # km; otherwise an island
                zones[j] = shapely.union_all([zones[j], p], grid_size=1e-9)
            else:
                kept.append(p)
        zones[i] = kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)
    return zones


def lloyd_seeds(rng, poly, n, rounds=14):
    """n seeds inside poly, spread after density()."""
    pts = random_points(rng, poly, max(600, 80 * n))
    w = density(pts)
    seeds = pts[rng.choice(len(pts), size=n, replace=False, p=w / w.sum())]
    for _ in range(rounds):
        owner = shapely.STRtree(shapely.points(seeds)).nearest(shapely.points(pts))
        mass = np.bincount(owner, weights=w, minlength=n)
        for k in (0, 1):
            s = np.bincount(owner, weights=w * pts[:, k], minlength=n)
            seeds[:, k] = np.where(mass > 0, s / np.maximum(mass, 1e-12), seeds[:, k])
    # a mean can fall outside a bent zone: move it onto a sample point
    idx = shapely.STRtree(shapely.points(pts)).nearest(shapely.points(seeds))
    outside = ~shapely.contains_xy(poly, seeds[:, 0], seeds[:, 1])
    seeds[outside] = pts[idx[outside]]
    return np.unique(np.round(seeds, 6), axis=0)


def apportion(weights, total, floor=1):
    """Whole numbers >= floor, near weights, adding up to total."""
    w = np.asarray(weights, float)
    n = np.maximum(floor, np.floor(w / w.sum() * total).astype(int))
    while n.sum() != total:
        err = w / w.sum() * total - n
        if n.sum() < total:
            n[np.argmax(err)] += 1
        else:
            n[np.argmin(np.where(n > floor, err, np.inf))] -= 1
    return n


def compact_groups(xy, ids, k):
    """Split ids into k spatially compact groups of about equal size."""
    if k == 1:
        return [list(ids)]
    ids = np.asarray(ids)
    span = np.ptp(xy[ids], axis=0)
    order = ids[np.lexsort((ids, xy[ids, int(span[1] > span[0])]))]
    left = k // 2
    cut = round(len(order) * left / k)
    return compact_groups(xy, order[:cut], left) + compact_groups(xy, order[cut:], k - left)


def short_name(name):
    """Village committee name -> village name (周家村委会 -> 周家村)."""
    name = name.replace("类似", "")
    for pattern, repl in (
        (r"村村民委员会$", "村"),
        (r"村民委员会$", "村"),
        (r"村村委会$", "村"),
        (r"村委会$", "村"),
        (r"居民社区委员会$", "社区"),
        (r"居民居委会$|居民委员会?$", ""),
        (r"居委会$", ""),
    ):
        name, hit = re.subn(pattern, repl, name)
        if hit:
            break
    return name


def rounded(geom):
    """GeoJSON geometry with 5 decimals, outer rings counter-clockwise."""

    def ring(r):
        return [[round(x, 5), round(y, 5)] for x, y in r.coords]

    parts = []
    for p in shapely.get_parts(geom):
        p = shapely.geometry.polygon.orient(p, 1.0)
        parts.append([ring(p.exterior)] + [ring(i) for i in p.interiors])
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


# ---------------------------------------------------------------- steps
def node_coverage(cells_deg):
    """Snap all outlines to the grid; return one clean polygon set per cell."""
    lines = shapely.union_all(shapely.boundary(cells_deg), grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize([lines]))
    tree = shapely.STRtree(cells_deg)
    inside = shapely.point_on_surface(faces)
    owner = np.full(len(faces), -1)
    fi, ci = tree.query(inside, predicate="intersects")
    owner[fi] = ci
    # snap-rounding can open a hair-thin face outside every cell
    lost = np.flatnonzero(owner < 0)
    keep = shapely.area(faces[lost]) * KX * KY < 0.01
    if len(lost):
        owner[lost[keep]] = tree.nearest(inside[lost[keep]])
    groups = defaultdict(list)
    for f, c in zip(faces, owner, strict=False):
        if c >= 0:
            groups[c].append(f)
    return {c: shapely.coverage_union_all(g) for c, g in sorted(groups.items())}


def absorb_strays(geoms, zone_of):
    """Give detached pieces of a cell to the neighbour with the longest edge."""
    for _ in range(6):
        ids = list(geoms)
        tree = shapely.STRtree([geoms[i] for i in ids])
        moved = False
        for i in ids:
            parts = shapely.get_parts(geoms[i])
            if len(parts) < 2:
                continue
            order = np.argsort(-shapely.area(parts))
            keep = [parts[order[0]]]
            for p in parts[order[1:]]:
                best, edge = None, 0.0
                for t in tree.query(p, predicate="touches"):
                    j = ids[t]
                    if j == i or zone_of[j][0] != zone_of[i][0]:
                        continue  # stay inside the same county
                    e = shapely.length(p.intersection(geoms[j]))
                    e *= 4.0 if zone_of[j] == zone_of[i] else 1.0
                    if e > edge:
                        best, edge = j, e
                if best is None:
                    keep.append(p)  # an island: leave it
                else:
                    geoms[best] = shapely.coverage_union_all([geoms[best], p])
                    moved = True
            geoms[i] = keep[0] if len(keep) == 1 else shapely.MultiPolygon(keep)
        if not moved:
            break
    return geoms


def build(folder: Path, n_cells: int, seed: int):
    counties = {}
    for f in json.loads((folder / "outlines.geojson").read_text("utf-8"))["features"]:
        counties[f["properties"]["code"]] = shape(f["geometry"])
    with (folder / "divisions.csv").open(encoding="utf-8") as fh:
        rows = list(csv.DictReader(fh))
    townships = {r["code"]: r["name_zh"] for r in rows if r["level"] == "township"}
    villages = defaultdict(list)
    for r in rows:
        if r["level"] == "village":
            villages[r["parent"]].append((r["code"], r["name_zh"]))
    if set(townships) != set(ANCHORS):
        raise SystemExit(f"ANCHORS and the township list differ: {sorted(set(townships) ^ set(ANCHORS))}")

    # 1. township-like zones, in the km plane
    zones = []  # (county, township, polygon km)
    for county, poly in sorted(counties.items()):
        poly_km = shapely.transform(poly, to_km)
        codes = sorted(t for t, a in ANCHORS.items() if a[0] == county)
        pts = to_km([ANCHORS[t][1:] for t in codes])
        bad = [t for t, p in zip(codes, pts, strict=False) if not shapely.contains_xy(poly_km, *p)]
        if bad:
            raise SystemExit(f"anchors outside {county}: {bad}")
        zones += [(county, t, z) for t, z in zip(codes, join_strays(clipped_voronoi(pts, poly_km)), strict=False)]

    # 2. how many cells each zone gets
    rng = np.random.default_rng([seed, 0])
    mass = np.array([z.area * density(random_points(rng, z, 1500)).mean() for _, _, z in zones])
    vill = np.array([len(villages[t]) for _, t, _ in zones], float)
    counts = apportion(0.65 * mass / mass.sum() + 0.35 * vill / vill.sum(), n_cells, floor=1)

    # 3. cells of each zone
    cells, zone_of = [], []
    for k, ((county, town, z), n) in enumerate(zip(zones, counts, strict=False)):
        rng = np.random.default_rng([seed, 1, k])
        for c in clipped_voronoi(lloyd_seeds(rng, z, int(n)), z):
            if c.area > 0:
                cells.append(shapely.transform(c, to_deg))
                zone_of.append((county, town))

    # 4. one exact coverage on the output grid
    geoms = absorb_strays(node_coverage(np.array(cells, dtype=object)), zone_of)

    # 5. codes and names
    by_zone = defaultdict(list)
    for i in geoms:
        by_zone[zone_of[i]].append(i)
    centre = np.zeros((len(cells), 2))
    for i, g in geoms.items():
        p = g.point_on_surface()
        centre[i] = p.x, p.y
    features = []
    for (county, town), ids in sorted(by_zone.items()):
        vs = villages[town]
        k = min(len(vs), len(ids))
        chosen = [vs[i * len(vs) // k] for i in range(k)]
        for (vcode, vname), group in zip(chosen, compact_groups(centre * (KX, KY), ids, k), strict=False):
            group = sorted(group, key=lambda i: (-centre[i][1], centre[i][0]))
            for seq, i in enumerate(group, 1):
                lon, lat = centre[i]
                features.append(
                    {
                        "type": "Feature",
                        "properties": {
                            "code": f"{vcode}{seq:03d}",
                            "name": f"{short_name(vname)}第{seq}网格",
                            "county_code": county,
                            "township_code": town,
                            "village_code": vcode,
                            "area_km2": round(geoms[i].area * KX * KY, 3),
                            "lon": round(lon, 5),
                            "lat": round(lat, 5),
                            "synthetic_geometry": True,
                        },
                        "geometry": rounded(geoms[i]),
                    }
                )
    features.sort(key=lambda f: f["properties"]["code"])
    return features, counties, townships


def check(features, counties):
    """Read the written form back and test that it is an exact tiling."""
    g = np.array([shape(f["geometry"]) for f in features], dtype=object)
    codes = [f["properties"]["code"] for f in features]
    county = np.array([f["properties"]["county_code"] for f in features])
    union = shapely.coverage_union_all(g)
    want = shapely.union_all(list(counties.values()))
    area = shapely.area(g) * KX * KY
    worst = max(
        shapely.coverage_union_all(g[county == c]).symmetric_difference(p).area * KX * KY for c, p in counties.items()
    )
    report = {
        "cells": len(g),
        "unique_codes": len(set(codes)) == len(codes),
        "all_valid": bool(shapely.is_valid(g).all()),
        "coverage_valid": bool(shapely.coverage_is_valid(g)),
        "multipolygons": int((shapely.get_type_id(g) == 6).sum()),
        "overlap_km2": round(abs(float(area.sum() - union.area * KX * KY)), 9),
        "holes": sum(len(p.interiors) for p in shapely.get_parts(union)),
        "difference_from_counties_km2": round(union.symmetric_difference(want).area * KX * KY, 4),
        "worst_county_difference_km2": round(worst, 4),
        "cell_km2_min_median_max": [round(float(v), 3) for v in (area.min(), np.median(area), area.max())],
    }
    ok = (
        report["unique_codes"]
        and report["all_valid"]
        and report["coverage_valid"]
        and report["overlap_km2"] < 1e-6
        and report["holes"] == 0
        and report["worst_county_difference_km2"] < 0.5
    )
    return ok, report
