"""Where cases lay before re-zonings of the past: their history rows name the cells they left."""

from django.db import migrations

# The words of such a row are codes and names: "370502001001001 某网格 + 370502001001801 某学校 → …".
FILL = r"""
INSERT INTO hazards_formerplace (hazard_id, area_code, dedicated_cell_id, until)
SELECT s.hazard_id, left(s.words, 15), d.id, s.at
FROM hazards_step s
LEFT JOIN LATERAL (
  SELECT c.id FROM grid_cell c
  WHERE c.kind <> 'base' AND c.code IN (left(s.words, 15), substring(split_part(s.words, ' → ', 1) FROM ' \+ (\d{15}) '))
  ORDER BY c.code = left(s.words, 15) LIMIT 1
) d ON true
WHERE s.action = 'rezone' AND s.words ~ '^\d{15} '
"""


class Migration(migrations.Migration):
    dependencies = [("hazards", "0019_former_places")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
