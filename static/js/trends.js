// The trend page's chart: bars for what came in, lines for what was closed and what ran out, day by day. The table says the same.
import { nice } from './wall/trend.js';
import { el, number, say, svg, t } from './words.js';

const box = document.getElementById('chart'), told = document.getElementById('chart-days');
const HEIGHT = 260, SIZE = 12, HEAD = 30, FOOT = 24;

if (box && told) {
  const days = JSON.parse(told.textContent);
  const show = () => {
    try { draw(days); } catch (error) {
      box.replaceChildren(document.getElementById('chart-failed').content.cloneNode(true));
      console.error(error);
    }
  };
  show();
  new ResizeObserver(show).observe(box.parentElement);
}
// A link to the days opens the table.
const table = document.getElementById('days');
const open = () => { if (table && location.hash === '#days') table.open = true; };
addEventListener('hashchange', open);
open();

function draw(days) {
  const width = box.clientWidth, came = 'unit' in box.dataset ? t('Dispatched') : t('Found');
  if (width < 80 || box.dataset.width === String(width)) return;
  box.dataset.width = width;
  const top = nice(Math.max(...days.flatMap(day => [day.found, day.cleared, day.late])));
  const left = number(top).length * SIZE * .6 + 10, base = HEIGHT - FOOT, step = (width - left - 4) / days.length;
  const x = i => left + (i + .5) * step, y = value => base - value / top * (base - HEAD);
  const root = svg('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: 'group', 'font-size': SIZE, 'aria-label': say('%(came)s, cleared and overdue a day, last %(n)s days', { came, n: days.length }) });
  for (const value of [top / 2, top]) root.append(svg('line', { class: 'grid', x1: left, x2: width, y1: y(value), y2: y(value) }));
  for (const value of [0, top / 2, top]) root.append(svg('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, number(value)));
  root.append(svg('line', { class: 'axis', x1: left, x2: width, y1: base, y2: base }));
  days.forEach((day, i) => root.append(bar(day, i === days.length - 1, { x: x(i), y, base, step, came })));
  for (const name of ['cleared', 'late']) {
    const points = days.map((day, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(day[name]).toFixed(1)}`);
    const last = points.length - 1; // the day that is not over is dashed
    root.append(svg('path', { class: name, d: points.slice(0, last).join('') }), svg('path', { class: `${name} is-open`, d: `M${points[last - 1].slice(1)}${points[last]}` }));
  }
  root.append(...dates(days, x), ...key(width, [['found', came], ['cleared', t('Cleared')], ['late', t('Overdue')]]));
  box.replaceChildren(root);
}

function bar(day, isOpen, { x, y, base, step, came }) {
  const words = say('%(day)s: %(came)s %(found)s, cleared %(cleared)s, overdue %(late)s', { ...day, came, found: number(day.found), cleared: number(day.cleared), late: number(day.late) });
  const half = Math.max(step * .34, .5);
  return svg('a', { href: day.page, 'aria-label': words, tabindex: -1 }, svg('title', {}, words),
    svg('rect', { class: `found${isOpen ? ' is-open' : ''}`, x: x - half, width: half * 2, y: y(day.found), height: Math.max(0, base - y(day.found)) }),
    svg('rect', { class: 'hit', x: x - step / 2, width: step, y: HEAD, height: base - HEAD }));
}

// First of months over a year, every fifth day of a month's span.
function dates(days, x) {
  const long = days.length > 60;
  const marks = days.map((day, i) => [day.day, i]).filter(([day, i]) => (long ? day.endsWith('-01') : i % 5 === 0 && i < days.length - 3) || i === days.length - 1);
  return marks.filter(([, i]) => i === days.length - 1 || x(days.length - 1) - x(i) > 60).map(([day, i]) => {
    const isLast = i === days.length - 1;
    return svg('text', { x: x(i) + (isLast ? 4 : 0), y: HEIGHT - 6, 'text-anchor': isLast ? 'end' : 'middle' }, long && !isLast ? day.slice(0, 7) : day.slice(5));
  });
}

function key(width, entries) {
  const wide = words => [...words].reduce((sum, c) => sum + (c > '\u2e80' ? 1 : .58), 0) * SIZE, parts = [];
  let end = width - 4;
  for (const [name, words] of entries.reverse()) {
    const begin = end - wide(words);
    parts.push(svg('text', { class: 'key', x: begin, y: 14 }, words));
    parts.push(name === 'found' ? svg('rect', { class: name, x: begin - 16, y: 5, width: 10, height: 10 }) : svg('path', { class: name, d: `M${begin - 22} 10h16` }));
    end = begin - 38;
  }
  return parts;
}
