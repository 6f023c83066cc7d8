// By category, and by the areas one level below.
import { el, number, say, sign, t } from '../words.js';
import { spark } from './trend.js';

const MOST_PARTS = 14;

export function drawKinds(table, categories, figures, area) {
  const shown = figure => (row, look) => figures.element(figure, row[{ 'hazards.found_today': 'found', 'hazards.open': 'open', 'hazards.overdue': 'overdue' }[figure]], { area, category: row.code }, look);
  const today = shown('hazards.found_today'), open = shown('hazards.open'), overdue = shown('hazards.overdue');
  table.tBodies[0].replaceChildren(...categories.map(row => el('tr', { 'data-category': row.code },
    el('th', { scope: 'row', title: row.name }, row.name),
    el('td', { class: 'n' }, today(row)),
    el('td', { class: 's' }, spark(row.days)),
    el('td', { class: 'n o' }, open(row)),
    el('td', { class: 'n' }, overdue(row, row.overdue ? 'is-late' : '')))));
}

// A few parts stand in their own order, so that people learn where each is; of many, the heaviest.
export function drawParts(panel, parts, figures, { whole, page }) {
  if (!panel) return;
  const heaviest = [...parts].sort((a, b) => b.overdue - a.overdue || b.open - a.open || a.code.localeCompare(b.code));
  const room = Math.min(MOST_PARTS, Math.max(4, Number(panel.dataset.room) || MOST_PARTS));
  const shown = parts.length <= room ? parts : heaviest.slice(0, room);
  if (shown.length > 8) panel.dataset.many = ''; else delete panel.dataset.many;
  panel.querySelector('ol').replaceChildren(...shown.map(part => {
    const params = { area: part.code };
    return el('li', { 'data-code': part.code },
      el('a', { class: 'name', href: page(part.code), title: part.name }, part.name),
      el('span', { class: 'n1' }, figures.element('hazards.open', part.open, params)),
      el('span', { class: part.overdue ? 'n2' : 'n2 is-none', title: t('Overdue') }, sign('late'), el('span', { class: 'visually-hidden' }, t('Overdue')), figures.element('hazards.overdue', part.overdue, params, part.overdue ? 'is-late' : '')),
      el('span', { class: 'n3' }, t('Today'), figures.element('hazards.found_today', part.found, params)));
  }));
  const rest = [];
  if (shown.length < parts.length) rest.push(say('%(n)s more', { n: parts.length - shown.length }));
  const direct = whole - parts.reduce((sum, part) => sum + part.open, 0);
  if (direct > 0) rest.push(say('not in any of them: %(n)s', { n: number(direct) }));
  panel.querySelector('#parts-rest').textContent = rest.join(' · ');
}
