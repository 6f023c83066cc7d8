"""Workers of the demo and what they answer for. Names are invented and varied; phones are nobody's."""

import datetime

from .names import person, phone

SKILLS = (
    "消防",
    "急救",
    "燃气",
    "特种设备",
    "危化",
    "建筑",
    "水域救援",
    "心理疏导",
    "手语",
    "无人机",
    "防汛",
    "食品安全",
)


def workers(rng, cells: list[dict], number: int, homes: dict[str, str], people: dict) -> list[list[object]]:
    """Return one row a worker; every cell has one responsible, and a backup where its own is away.

    ``homes`` gives the centre that holds a cell's township. The first eight of each county serve at the
    county's centre and have the whole county as their area.
    """
    today = datetime.date(2026, 11, 1)
    rows = []
    seen_of_county: dict[str, int] = {}
    by_town: dict[str, list[int]] = {}
    for index in range(number):
        cell = cells[index % len(cells)]
        town, county = cell["code"][:9], cell["code"][:6]
        rank = seen_of_county[county] = seen_of_county.get(county, 0) + 1
        zh, en = person(rng, people)
        state = rng.choices(("on_duty", "leave", "ill"), (962, 28, 10))[0] if rank > 8 else "on_duty"
        since = datetime.date(
            rng.choice((2019, 2020, 2020, 2021, 2022, 2023, 2024, 2025, 2026)), rng.randint(1, 9), rng.randint(1, 28)
        )
        rows.append(
            {
                "number": "",
                "name_zh": zh,
                "name_en": en,
                "phone": phone(rng),
                "centre": f"ZX{county}" if rank <= 8 else homes[town],
                "area": county if rank <= 8 else town,
                "skills": ";".join(rng.sample(SKILLS, rng.choice((1, 1, 2, 2, 3)))),
                "state": state,
                "training_valid_until": today + datetime.timedelta(days=rng.randint(-40, 700)),
                "since": since,
                "primary": cell["code"] if index < len(cells) else "",
                "backup": [],
            }
        )
        by_town.setdefault(town, []).append(index)
    stand_ins(rng, rows, cells, by_town)
    for number_, row in enumerate(rows, 1):
        row["number"] = f"DY{number_:05d}"
        row["backup"] = ";".join(row["backup"])
    return rows


def stand_ins(rng, rows: list[dict], cells: list[dict], by_town: dict[str, list[int]]) -> None:
    """Name a backup of the same township for nine cells in ten, and for every cell whose own worker is away."""
    everyone = [i for i, row in enumerate(rows) if row["state"] == "on_duty"]
    for index, cell in enumerate(cells):
        if rows[index]["state"] == "on_duty" and rng.random() < 0.1:
            continue
        mates = [i for i in by_town[cell["code"][:9]] if i != index and rows[i]["state"] == "on_duty"]
        mates = [i for i in mates if len(rows[i]["backup"]) < 3] or mates or everyone
        near = sorted(mates, key=lambda i: abs(i - index))[:4]
        rows[rng.choice(near)]["backup"].append(cell["code"])
