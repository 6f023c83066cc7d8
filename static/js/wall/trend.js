// Thirty days: bars for what was found, a line for what was cleared. The day that is not over is an open bar.
import { el, monthDay, number, say, svg, t } from '../words.js';

export function drawTrend(box, days, figures) {
  const { width, height } = box.getBoundingClientRect();
  if (!days.length || !width) return;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize), size = 1.25 * rem;
  if (height < 5 * rem) { // lines that wait have taken its room; what is squeezed cannot be read
    box.replaceChildren();
    return;
  }
  if (!days.some(day => day.found || day.cleared)) {
    box.replaceChildren(el('p', { class: 'empty' }, t('Nothing was reported in the last 30 days.')));
    return;
  }
  const top = nice(Math.max(...days.map(day => Math.max(day.found, day.cleared))));
  const left = Math.max(number(top).length * size * .58, size) + .6 * rem, bottom = 1.9 * rem, head = 3.6 * rem;
  const step = (width - left) / days.length, base = height - bottom;
  const x = i => left + (i + .5) * step, y = value => base - value / top * (base - head);
  const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': t('Found and cleared a day, last 30 days'), 'font-size': size });
  for (const value of [top / 2, top]) root.append(svg('line', { class: 'grid', x1: left, x2: width, y1: y(value), y2: y(value) }));
  for (const value of [0, top / 2, top]) root.append(svg('text', { x: left - .5 * rem, y: y(value) + size * .35, 'text-anchor': 'end' }, number(value)));
  root.append(svg('line', { class: 'axis', x1: left, x2: width, y1: base, y2: base }));
  days.forEach((day, i) => root.append(bar(day, i === days.length - 1, { x: x(i), y, base, step, head, rem }, figures)));
  const line = days.map((day, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(day.cleared).toFixed(1)}`);
  const width2 = .15 * rem, last = days.length - 1;
  root.append(svg('path', { class: 'cleared', d: line.slice(0, last).join(''), 'stroke-width': width2 }));
  root.append(svg('path', { class: 'cleared is-open', d: `M${line[last - 1].slice(1)}${line[last]}`, 'stroke-width': width2 }));
  root.append(...dates(days, x, height, rem), ...values(days, { x, y, size, width }), ...key(width, rem, size));
  box.replaceChildren(root);
}

function bar(day, isOpen, { x, y, base, step, head, rem }, figures) {
  const words = say('%(day)s: found %(found)s, cleared %(cleared)s', { day: day.day, found: number(day.found), cleared: number(day.cleared) });
  const half = step * .32, edge = isOpen ? .09 * rem : 0;
  const shape = svg('rect', {
    class: `found${isOpen ? ' is-open' : ''}`, x: x - half + edge / 2, width: half * 2 - edge, y: y(day.found) + edge / 2,
    height: Math.max(0, base - y(day.found) - edge), 'stroke-width': edge || null, 'stroke-dasharray': isOpen ? `${.2 * rem} ${.14 * rem}` : null,
  });
  const hit = svg('rect', { class: 'hit', x: x - step / 2, width: step, y: head, height: base - head });
  const page = figures.page('hazards.found_today', { received: day.day });
  return svg(page ? 'a' : 'g', { href: page || null, 'aria-label': words, role: page ? null : 'img' }, svg('title', {}, words), shape, hit);
}

const dates = (days, x, height, rem) => [0, 10, 20, days.length - 1].filter(i => i < days.length).map(i =>
  svg('text', { x: i === days.length - 1 ? x(i) + .9 * rem : i ? x(i) : x(i) - .6 * rem, y: height - .35 * rem, 'text-anchor': i === days.length - 1 ? 'end' : i ? 'middle' : 'start' }, monthDay(days[i].day)));

// The first full day and the last full day carry their numbers.
function values(days, { x, y, size, width }) {
  const label = (i, anchor) => svg('text', { class: 'value', 'font-size': size * 1.1, x: anchor === 'end' ? Math.min(x(i) + size * .4, width) : x(i) - size * .3, y: y(Math.max(...(anchor === 'end' ? days.slice(-5) : days.slice(0, 4)).flatMap(day => [day.found, day.cleared]))) - size * .45, 'text-anchor': anchor }, number(days[i].found));
  return days.length > 2 ? [label(0, 'start'), label(days.length - 2, 'end')] : [];
}

function key(width, rem, size) {
  const found = t('Found'), cleared = t('Cleared'), wide = words => [...words].reduce((sum, c) => sum + (c > '\u2e80' ? 1 : .56), 0) * size;
  const x2 = width - wide(cleared), x1 = x2 - 3.2 * rem - wide(found);
  return [
    svg('rect', { class: 'found', x: x1 - 1.3 * rem, y: .35 * rem, width: rem * .9, height: rem * .9 }), svg('text', { class: 'key', x: x1, y: size }, found),
    svg('path', { class: 'cleared', d: `M${x2 - 1.8 * rem} ${.8 * rem}h${1.3 * rem}`, 'stroke-width': .15 * rem }), svg('text', { class: 'key', x: x2, y: size }, cleared),
  ];
}

// The next round number whose half is a whole one.
export function nice(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 10)));
  return [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].map(n => n * unit).find(n => n >= value && Number.isInteger(n / 2)) ?? 10 * unit;
}

export function spark(values) {
  if (values.length < 2) return '';
  const top = Math.max(...values, 1), x = i => 2 + i / (values.length - 1) * 80, y = value => 22 - value / top * 19;
  const full = values.slice(0, -1); // today is not over: a fall that is none
  return svg('svg', { class: 'spark', viewBox: '0 0 84 24', 'aria-hidden': 'true', preserveAspectRatio: 'none' },
    svg('path', { d: full.map((value, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('') }));
}
