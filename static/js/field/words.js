// What the modules say: Django's catalog when it is there, English when it is not (the page still works).

export const gettext = (text) => globalThis.gettext?.(text) ?? text;

/** Fill the named places of a translated text: fill(gettext("Photos: %(n)s"), {n: 3}). */
export const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole);

const CLOCK = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" };
const DAY = { month: "numeric", day: "numeric", timeZone: "Asia/Shanghai" };
const language = () => document.documentElement.lang || "zh-Hans";

/** Say a moment the way people here do: the hour today, day and hour otherwise. */
export function moment(when) {
  const date = new Date(when);
  const hour = date.toLocaleTimeString(language(), CLOCK);
  const day = date.toLocaleDateString(language(), DAY);
  return day === new Date().toLocaleDateString(language(), DAY) ? hour : `${day} ${hour}`;
}

/** Say how long ago, coarsely. */
export function ago(when) {
  const minutes = Math.max(0, Math.round((Date.now() - new Date(when)) / 60000));
  if (minutes < 1) return gettext("just now");
  if (minutes < 60) return fill(gettext("%(n)s min ago"), { n: minutes });
  if (minutes < 48 * 60) return fill(gettext("%(n)s h ago"), { n: Math.round(minutes / 60) });
  return fill(gettext("%(n)s days ago"), { n: Math.round(minutes / 1440) });
}

/** Say what is left until a deadline, or by how much it has passed. Nothing for no deadline. */
export function timeLeft(when) {
  if (!when) return "";
  const minutes = Math.round((new Date(when) - Date.now()) / 60000);
  const size = Math.abs(minutes);
  const hours = Math.floor(size / 60);
  let span;
  if (hours >= 48) span = fill(gettext("%(n)s days"), { n: Math.floor(hours / 24) });
  else if (hours) span = fill(gettext("%(h)s h %(m)s min"), { h: hours, m: size % 60 });
  else span = fill(gettext("%(n)s min"), { n: size });
  return fill(minutes < 0 ? gettext("%(span)s overdue") : gettext("%(span)s left"), { span });
}

export const kilobytes = (bytes) => (bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export const metres = (m) => (m < 1000 ? fill(gettext("%(n)s m"), { n: Math.round(m) })
  : fill(gettext("%(n)s km"), { n: (m / 1000).toFixed(1) }));
