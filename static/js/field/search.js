// Finding a matter by what a thumb types: pinyin initials, Chinese or English. Pure, so that it can be tested alone.

const names = (matter) => [matter.name_zh, matter.name_en, matter.name, matter.code].filter(Boolean).map((name) => name.toLowerCase());

/** Rank a matter for what was typed: initials from their start 0, a name that holds it 1, initials that hold it 2; else null. */
export function rank(matter, typed) {
  const text = typed.trim().toLowerCase();
  if (!text) return null;
  const initials = (matter.pinyin ?? "").toLowerCase();
  if (/^[a-z0-9]+$/.test(text) && initials.startsWith(text)) return 0;
  if (names(matter).some((name) => name.includes(text))) return 1;
  return text.length > 1 && initials.includes(text) ? 2 : null;
}

/** Find matters, the best first. */
export function search(rows, typed) {
  return rows.map((matter) => [rank(matter, typed), matter]).filter(([found]) => found !== null)
    .sort(([a, x], [b, y]) => a - b || (x.code < y.code ? -1 : 1)).map(([, matter]) => matter);
}
