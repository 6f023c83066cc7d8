// Words, numbers and times in the language of the page; times are the city's, whatever the machine's zone.
export const t = text => (window.gettext ? window.gettext(text) : text);
export const say = (text, values) => t(text).replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
export const token = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const english = () => document.documentElement.lang.startsWith('en');
const zoned = options => new Intl.DateTimeFormat(english() ? 'en-GB' : 'zh-CN', { timeZone: 'Asia/Shanghai', ...options });
const made = new Map();
const formatter = (name, options) => {
  if (!made.has(name)) made.set(name, zoned(options));
  return made.get(name);
};
const format = (name, options, when) => formatter(name, options).format(when);
// Grouped from a thousand on, one decimal at most. Without Intl, whose tables take a slow computer a tenth of a second.
function grouped(value) {
  const [whole, part] = String(Math.round(value * 10) / 10).split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? `.${part}` : '');
}

export const number = value => (value === null || value === undefined ? '–' : grouped(Number(value)));
export const percent = value => (value === null || value === undefined ? '–' : (value * 100).toFixed(value === 1 ? 0 : 1));
export const clock = when => format('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }, when);
export const dayOf = when => formatter('day', { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(when).reduce((all, part) => ({ ...all, [part.type]: part.value }), {});
export const date = when => (english()
  ? format('date', { weekday: 'short', day: 'numeric', month: 'short' }, when)
  : `${format('month', { month: 'long', day: 'numeric' }, when)} ${format('weekday', { weekday: 'long' }, when)}`);
export const monthDay = iso => iso.slice(5);

// A time of the last day as a clock, an older one with its date.
export function moment(when, now) {
  if (now - when < 20 * 3600e3) return clock(when);
  const parts = dayOf(when);
  return `${parts.month}-${parts.day} ${clock(when).slice(0, 5)}`;
}

// How long: two units at most, the larger first.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return say('%(n)s s', { n: s });
  const m = Math.floor(s / 60);
  if (m < 60) return say('%(n)s min', { n: m });
  const h = Math.floor(m / 60);
  if (h < 24) return m % 60 && h < 10 ? say('%(h)s h %(m)s min', { h, m: m % 60 }) : say('%(n)s h', { n: h });
  const d = Math.floor(h / 24);
  return h % 24 && d < 10 ? say('%(d)s d %(h)s h', { d, h: h % 24 }) : say('%(n)s d', { n: d });
}
export const age = (when, now) => say('%(span)s ago', { span: span(now - when) });

// Elements without markup in strings: el('a', {class: 'figure', href}, text, child …).
const SVG = 'http://www.w3.org/2000/svg';
export function el(name, attributes = {}, ...children) { return fill(document.createElement(name), attributes, children); }
export function svg(name, attributes = {}, ...children) { return fill(document.createElementNS(SVG, name), attributes, children); }
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  node.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return node;
}
export const sign = name => { const use = document.getElementById(`sign-${name}`); return use ? use.content.firstElementChild.cloneNode(true) : ''; };
