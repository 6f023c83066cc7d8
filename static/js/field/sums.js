// How a due time was counted, in the worker's words: what counted, what did not, and why.
import { make } from "./dom.js";
import { fill, gettext, moment } from "./words.js";

const MOST_SPANS = 8;

const STAGES = { accept: gettext("Acceptance and dispatch"), rectify: gettext("Rectification"), verify: gettext("Verification and write-off") };
const UNITS = { urgent_hours: gettext("%(n)s urgent hours"), work_hours: gettext("%(n)s working hours"), work_days: gettext("%(n)s working days") };
const WHY = {
  weekend: gettext("weekend"), holiday: gettext("holiday"), night: gettext("outside working hours"), lunch: gettext("midday break"),
  "make-up": gettext("make-up working day"), makeup: gettext("make-up working day"), working: gettext("working days"), workday: gettext("working days"),
};

const say = (why) => WHY[why] ?? why;

function length(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return fill(gettext("%(n)s min"), { n: minutes });
  return fill(gettext("%(h)s h %(m)s min"), { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/** Fill a list with the running stage's arithmetic. Return whether there was any. */
export function drawSums(list, answer) {
  const stage = (answer.stages ?? []).find(({ running }) => running);
  if (!stage) return false;
  const rows = [[gettext("Stage"), STAGES[stage.stage] ?? stage.stage], [gettext("Limit"), fill(UNITS[stage.unit] ?? "%(n)s", { n: stage.amount })],
    [gettext("Counted from"), moment(stage.started_at)]];
  if (stage.consumed_s) rows.push([gettext("Used before"), length(stage.consumed_s)]);
  const { spans = [], days = {} } = stage.arithmetic ?? {};
  for (const span of spans.slice(0, MOST_SPANS)) {
    const counted = span.counted_s ? length(span.counted_s) : `${gettext("not counted")}${span.why ? ` (${say(span.why)})` : ""}`;
    rows.push([`${moment(span.from)} – ${moment(span.to)}`, counted]);
  }
  if (spans.length > MOST_SPANS) rows.push(["…", fill(gettext("and %(n)s more spans"), { n: spans.length - MOST_SPANS })]);
  for (const [kind, number] of Object.entries(days)) rows.push([say(kind), String(number)]);
  if (stage.due_at) rows.push([gettext("Due"), moment(stage.due_at)]);
  else if (stage.reason) rows.push([gettext("Due"), stage.reason]);
  list.replaceChildren(...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  return true;
}
