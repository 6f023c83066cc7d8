"""The SQL of tallies. One definition of what periods add to figures, used by fold, rebuild and readers.

The parts are common table expressions that build on each other:
``changed`` (periods to be counted in) → ``steps`` (figure, area, category, unit, day, delta) → ``spread`` (over all areas around).
"""

# Figures of a day are kept for good down to townships, in villages and cells for so many days.
DAYS_KEPT_BELOW = 31

RECENT = f"""(
  {{day}} = DATE '0001-01-01'
  OR {{day}} > (SELECT (coalesce(max(as_of), now()) AT TIME ZONE 'Asia/Shanghai')::date FROM outbox_head) - {DAYS_KEPT_BELOW}
)"""

# Sums over the areas around a place: by prefix at the levels of administrative codes, and in the extra area alone
# (a dedicated cell lies across villages). Categories are kept down to townships, departments down to counties.
SPREAD = """
summed AS (
  SELECT figure, area, extra_area, category, unit, day, sum(delta) AS delta
  FROM steps GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(delta) <> 0
),
spread AS (
  SELECT s.figure, around.area, around.category, s.day, sum(s.delta) AS delta
  FROM summed s CROSS JOIN LATERAL (
    SELECT left(s.area, digits) AS area, '' AS category
    FROM unnest(ARRAY[4, 6, 9, 12, 15]) digits WHERE digits <= length(s.area) AND (digits <= 9 OR {recent})
    UNION ALL
    SELECT left(s.area, digits), s.category
    FROM unnest(ARRAY[4, 6, 9]) digits WHERE digits <= length(s.area) AND s.category <> ''
    UNION ALL
    SELECT left(s.area, digits), '@' || s.unit
    FROM unnest(ARRAY[4, 6]) digits WHERE digits <= length(s.area) AND s.unit <> ''
    UNION ALL
    SELECT s.extra_area, '' WHERE s.extra_area <> '' AND s.extra_area <> s.area AND {recent}
  ) around
  GROUP BY 1, 2, 3, 4 HAVING sum(s.delta) <> 0
)""".format(recent=RECENT.format(day="s.day"))

# What the periods dealt after one position up to another change: each adds its own and takes its predecessor's away.
# A figure of the day is earned once by a subject and day, by whichever period came first.
STEPS = """
changed AS (SELECT * FROM tallies_period WHERE since > %(low)s AND since <= %(high)s),
moved AS (
  SELECT 1 AS sign, area, extra_area, category, unit, now, amounts FROM changed
  UNION ALL
  SELECT -1, q.area, q.extra_area, q.category, q.unit, q.now, q.amounts
  FROM changed p JOIN tallies_period q ON q.id = p.previous_id
),
steps AS (
  SELECT key AS figure, area, extra_area, category, unit, DATE '0001-01-01' AS day, sign::numeric AS delta
  FROM moved, unnest(now) key
  UNION ALL
  SELECT amount.key, area, extra_area, category, unit, DATE '0001-01-01', sign * amount.value::numeric
  FROM moved, jsonb_each_text(amounts) amount
  UNION ALL
  SELECT key, p.area, p.extra_area, p.category, p.unit, p.day, 1
  FROM changed p, unnest(p.today) key
  WHERE NOT EXISTS (
    SELECT 1 FROM tallies_period e
    WHERE e.kind = p.kind AND e.subject_id = p.subject_id AND e.day = p.day
      AND (e.since < p.since OR e.since = p.since AND e.id < p.id) AND key = ANY (e.today)
  )
)"""

DEAL = """
UPDATE tallies_period p SET since = e.position
FROM outbox_outboxentry e
WHERE e.id = ANY (%(ids)s) AND p.entry_id = e.id AND p.since IS NULL"""

END_PREVIOUS = """
UPDATE tallies_period q SET until = p.since
FROM tallies_period p
WHERE p.since > %(low)s AND p.since <= %(high)s AND q.id = p.previous_id"""

FOLD = f"""
WITH {STEPS}, {SPREAD},
closed AS (
  UPDATE tallies_tally t SET until = %(high)s
  FROM spread s
  WHERE t.figure = s.figure AND t.category = s.category AND t.day = s.day AND t.area = s.area AND t.until = %(open)s
  RETURNING t.figure, t.category, t.day, t.area, t.value
)
INSERT INTO tallies_tally (figure, category, day, area, value, since, until)
SELECT s.figure, s.category, s.day, s.area, coalesce(c.value, 0) + s.delta, %(high)s, %(open)s
FROM spread s LEFT JOIN closed c
  ON c.figure = s.figure AND c.category = s.category AND c.day = s.day AND c.area = s.area
WHERE coalesce(c.value, 0) + s.delta <> 0"""

# Everything that periods say at the head, from nothing: what lasts, and what was earned.
ALL_STEPS = """
lasting AS (
  SELECT key AS figure, area, extra_area, category, unit, DATE '0001-01-01' AS day, 1::numeric AS delta
  FROM tallies_period, unnest(now) key WHERE since IS NOT NULL AND until = %(open)s AND now <> '{}'
  UNION ALL
  SELECT amount.key, area, extra_area, category, unit, DATE '0001-01-01', amount.value::numeric
  FROM tallies_period, jsonb_each_text(amounts) amount
  WHERE since IS NOT NULL AND until = %(open)s AND amounts <> '{}'
),
earned AS (
  SELECT key AS figure, p.area, p.extra_area, p.category, p.unit, p.day
  FROM tallies_period p LEFT JOIN tallies_period q ON q.id = p.previous_id AND q.day = p.day, unnest(p.today) key
  WHERE p.since IS NOT NULL AND p.today <> '{}' AND (
    q.id IS NULL OR key <> ALL (q.today) AND (q.previous_id IS NULL OR NOT EXISTS (
      SELECT 1 FROM tallies_period e
      WHERE e.kind = p.kind AND e.subject_id = p.subject_id AND e.day = p.day
        AND (e.since < p.since OR e.since = p.since AND e.id < p.id) AND key = ANY (e.today)
    ))
  )
)"""

# What SPREAD says of few, for very many: each level is summed from the one below, not from every step.
SPREAD_ALL = """
towns AS (
  SELECT figure, left(area, 9) AS area, category, unit, day, count(*)::numeric AS delta FROM earned GROUP BY 1, 2, 3, 4, 5
  UNION ALL
  SELECT figure, left(area, 9), category, unit, day, sum(delta) FROM lasting GROUP BY 1, 2, 3, 4, 5
),
classes AS (
  SELECT figure, area, category, day, sum(delta) AS delta FROM towns GROUP BY 1, 2, 3, 4
),
counties AS (
  SELECT figure, left(area, 6) AS area, category, day, sum(delta) AS delta FROM classes GROUP BY 1, 2, 3, 4
),
units AS (
  SELECT figure, left(area, 6) AS area, '@' || unit AS unit, day, sum(delta) AS delta
  FROM towns WHERE unit <> '' GROUP BY 1, 2, 3, 4
),
near AS (
  SELECT figure, area, extra_area, day, delta FROM lasting
  UNION ALL SELECT figure, area, extra_area, day, 1 FROM earned WHERE {recent}
),
spread AS (
  SELECT figure, area, category, day, sum(delta) AS delta FROM (
    SELECT figure, left(area, 4) AS area, '' AS category, day, delta FROM counties
    UNION ALL SELECT figure, left(area, 4), category, day, delta FROM counties WHERE category <> ''
    UNION ALL SELECT figure, left(area, 4), unit, day, delta FROM units
    UNION ALL SELECT figure, area, '', day, delta FROM counties WHERE length(area) = 6
    UNION ALL SELECT figure, area, category, day, delta FROM counties WHERE length(area) = 6 AND category <> ''
    UNION ALL SELECT figure, area, unit, day, delta FROM units WHERE length(area) = 6
    UNION ALL SELECT figure, area, '', day, delta FROM classes WHERE length(area) = 9
    UNION ALL SELECT figure, area, category, day, delta FROM classes WHERE length(area) = 9 AND category <> ''
    UNION ALL SELECT figure, left(area, 12), '', day, delta FROM near WHERE length(area) >= 12
    UNION ALL SELECT figure, area, '', day, delta FROM near WHERE length(area) = 15
    UNION ALL SELECT figure, extra_area, '', day, delta FROM near WHERE extra_area <> '' AND extra_area <> area
  ) part GROUP BY 1, 2, 3, 4 HAVING sum(delta) <> 0
)""".format(recent=RECENT.format(day="day"))

REBUILD = f"""
WITH {ALL_STEPS}, {SPREAD_ALL}
INSERT INTO tallies_tally (figure, category, day, area, value, since, until)
SELECT figure, category, day, area, delta, %(position)s, %(open)s FROM spread"""

# Old days of villages and cells.
FORGET = f"""
DELETE FROM tallies_tally WHERE id IN (
  SELECT id FROM tallies_tally t
  WHERE length(area) > 9 AND day > DATE '0001-01-01' AND NOT {RECENT.format(day="t.day")} LIMIT %(limit)s
)"""

# Where the kept tallies and a fresh count from the periods differ; no rows when all is well.
DIFFERENCES = f"""
WITH {ALL_STEPS}, {SPREAD_ALL}
SELECT coalesce(s.figure, t.figure), coalesce(s.area, t.area), coalesce(s.category, t.category),
       nullif(coalesce(s.day, t.day), DATE '0001-01-01'), coalesce(t.value, 0), coalesce(s.delta, 0)
FROM spread s
FULL JOIN (
  SELECT * FROM tallies_tally t WHERE until = %(open)s AND (length(area) <= 9 OR {RECENT.format(day="t.day")})
) t
  ON t.figure = s.figure AND t.area = s.area AND t.category = s.category AND t.day = s.day
WHERE coalesce(t.value, 0) <> coalesce(s.delta, 0)
ORDER BY 1, 2, 3, 4"""

# Where an area is not the sum of the areas in it and of the subjects that lie in it directly.
PARTS = f"""
WITH {ALL_STEPS},
parts AS (
  SELECT figure, day, parent, sum(value) AS value FROM (
    SELECT figure, day, left(area, CASE length(area) WHEN 6 THEN 4 WHEN 9 THEN 6 ELSE 9 END) AS parent, value
    FROM tallies_tally WHERE until = %(open)s AND category = '' AND length(area) IN (6, 9, 12)
    UNION ALL
    SELECT figure, day, area, delta FROM lasting WHERE length(area) IN (4, 6, 9)
    UNION ALL
    SELECT figure, day, area, 1 FROM earned WHERE length(area) IN (4, 6, 9)
  ) part WHERE length(parent) < 9 OR {RECENT.format(day="part.day")} GROUP BY 1, 2, 3
)
SELECT coalesce(p.figure, t.figure), coalesce(p.parent, t.area), '', nullif(coalesce(p.day, t.day), DATE '0001-01-01'),
       coalesce(t.value, 0), coalesce(p.value, 0)
FROM parts p
FULL JOIN (SELECT * FROM tallies_tally WHERE until = %(open)s AND category = '' AND (
  length(area) IN (4, 6) OR length(area) = 9 AND {RECENT.format(day="tallies_tally.day")}
)) t
  ON t.figure = p.figure AND t.area = p.parent AND t.day = p.day
WHERE coalesce(t.value, 0) <> coalesce(p.value, 0)
ORDER BY 1, 2, 4"""
