// Figures: links to the lists that make them, written the way the server writes them.
import { clock, el, number, percent } from '../words.js';

const OVERDUE = 'hazards.overdue';

export class Figures {
  #rows = new Map();
  #opens;

  constructor(opensLists) { this.#opens = opensLists; }

  take(rows) {
    this.#rows = new Map(rows.map(row => [row.key, { ...row }]));
    this.#write();
  }

  // What a tally frame says: values by key. Ratios follow from their two counts.
  update(values) {
    for (const [key, value] of Object.entries(values)) if (this.#rows.has(key)) this.#rows.get(key).value = value;
    for (const row of this.#rows.values()) {
      if (row.kind !== 'ratio' || row.key in values) continue;
      const whole = this.#rows.get(row.denominator)?.value;
      row.value = whole ? this.#rows.get(row.numerator).value / whole : null;
    }
    this.#write();
  }

  value(key) { return this.#rows.get(key)?.value ?? 0; }

  // The page of a figure, for a part of the area or one category; empty for readers without lists.
  page(key, params = {}) {
    const row = this.#rows.get(key);
    const page = row?.page || this.#rows.get(row?.denominator)?.page;
    if (!this.#opens || !page) return '';
    const url = new URL(page, location.origin);
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
    return url.pathname + url.search;
  }

  element(key, value, params = {}, look = '') {
    const href = this.page(key, params);
    const text = el('span', { 'data-figure': key, 'data-area': params.area, 'data-category': params.category }, number(value));
    return el(href ? 'a' : 'span', { class: `figure ${href ? '' : 'is-plain'} ${look}`.trim(), href: href || null }, text);
  }

  #write() {
    for (const node of document.querySelectorAll('[data-figure]:not([data-area]):not([data-category])')) {
      const row = this.#rows.get(node.dataset.figure);
      if (!row) continue;
      const text = row.kind === 'ratio' ? percent(row.value) : number(row.value);
      if (node.textContent !== text) node.textContent = text;
      if (row.key === OVERDUE) node.parentElement.classList.toggle('is-late', row.value > 0);
    }
  }
}

export function showAsOf(when, words = null) {
  const text = words ?? clock(when);
  for (const node of document.querySelectorAll('[data-as-of]')) if (node.textContent !== text) node.textContent = text;
}
