// The rows of the queue: a list that stands still under the pointer and the focus, walked by keys, marked by X.
import { StillList } from '../still-list.js';
import { el, say, sign, t } from '../words.js';

const EMPTY = {
  all: t('Nothing needs anybody now. What is reported or runs out appears here at once.'),
  accept: t('No report waits to be accepted.'),
  dispatch: t('No accepted case waits to be dispatched.'),
  returned: t('No unit has sent a case back.'),
  overdue: t('No case is overdue. What passes its due time appears within seconds.'),
  major: t('No major hazard is open.'),
  notices: t('Every overdue notice was answered in time.'),
};
const keyOf = item => [item.version, item.state, item.overdue, item.due.words, item.whose, item.place, item.what].join('|');

export class Rows {
  #list = document.getElementById('rows'); #still; #items = []; #marked = new Set(); #current = null; #people = []; #filter = 'all'; #on; #at = null;

  constructor(on) {
    this.#on = on;
    const words = document.getElementById('stillness');
    this.#still = new StillList(document.getElementById('queue'), {
      row: item => this.#row(item), keyOf, inPlace: true,
      empty: () => EMPTY[this.#filter],
      onStill: isStill => words.replaceChildren(...(isStill ? [sign('pause'), t('Stands still while you are in it')] : [t('Moves with the news')])),
    });
    this.#list.addEventListener('click', event => this.#click(event));
    this.#list.addEventListener('focusin', event => { const row = event.target.closest('li[data-id]'); if (row) this.#rove(row); });
  }

  get items() { return this.#items; }
  get marked() { return this.#items.filter(item => this.#marked.has(item.id)); }
  get focused() { return this.#item(document.activeElement?.closest?.('#rows li[data-id]')); }

  show(items, filter, release) {
    this.#items = items;
    this.#filter = filter;
    const there = new Set(items.map(item => item.id));
    const lost = [...this.#marked].filter(id => !there.has(id));
    for (const id of lost) this.#marked.delete(id);
    if (lost.length) this.#on.onMark(this.marked);
    if (release) this.release(items); else this.#still.show(items);
    for (const row of this.#nodes) row.classList.toggle('is-gone', !there.has(row.dataset.id));
    this.#dress();
    this.#on.onShown(items);
  }

  // What came is shown though the pointer or the focus is here; the focus goes to where it was, or to the row after.
  release(items = this.#items) {
    const had = this.#list.contains(document.activeElement), row = this.focused, at = this.#nodes.findIndex(node => node.dataset.id === row?.id);
    this.#still.release();
    this.#still.show(items);
    if (!had) return;
    const nodes = this.#nodes;
    (nodes.find(node => node.dataset.id === row?.id) ?? nodes[Math.min(Math.max(at, 0), nodes.length - 1)])?.focus();
  }

  step(by) {
    const nodes = this.#nodes;
    if (!nodes.length) return;
    const now = nodes.findIndex(node => node === document.activeElement);
    const from = now >= 0 ? now : nodes.findIndex(node => node.tabIndex === 0) - (this.#at ? 0 : by);
    const next = nodes[Math.min(nodes.length - 1, Math.max(0, from + by))];
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
  }

  focus(id = null) {
    const row = (id && this.#nodes.find(node => node.dataset.id === id)) ?? this.#nodes.find(node => node.tabIndex === 0);
    row?.focus();
    row?.scrollIntoView({ block: 'nearest' });
  }

  openFocused() {
    const item = this.focused;
    if (item) this.#on.open(item);
    return item;
  }

  mark(item = this.focused) {
    if (!item || item.kind !== 'hazard') return;
    if (!this.#marked.delete(item.id)) this.#marked.add(item.id);
    this.#dress();
    this.#on.onMark(this.marked);
  }

  unmarkAll() {
    const had = this.#marked.size > 0;
    this.#marked.clear();
    this.#dress();
    this.#on.onMark([]);
    return had;
  }

  current(id) { this.#current = id; this.#dress(); }
  showPeople(people) { this.#people = people; this.#dress(); }

  get #nodes() { return [...this.#list.querySelectorAll('li[data-id]')]; }
  #item(node) { return node ? this.#items.find(item => item.id === node.dataset.id) ?? { id: node.dataset.id, kind: node.dataset.kind, isGone: true } : null; }

  #click(event) {
    const node = event.target.closest('li[data-id]');
    if (!node) return;
    node.focus();
    if (event.target.closest('.kind')) this.mark(this.#item(node)); else this.#on.open(this.#item(node));
  }

  #rove(row) {
    this.#at = row.dataset.id;
    for (const node of this.#nodes) node.tabIndex = node === row ? 0 : -1;
  }

  // What stands on a row besides its item: marked, open, somebody at it.
  #dress() {
    const nodes = this.#nodes;
    if (nodes.length && !nodes.some(node => node.tabIndex === 0)) nodes[0].tabIndex = 0;
    for (const node of nodes) {
      const { id } = node.dataset;
      node.setAttribute('aria-selected', String(this.#marked.has(id)));
      if (this.#current === id) node.setAttribute('aria-current', 'true'); else node.removeAttribute('aria-current');
      const who = this.#people.filter(person => person.id === id).map(person => person.who);
      const place = node.querySelector('.whose');
      const words = who.length ? say('%(who)s is at it', { who: [...new Set(who)].join(', ') }) : place.dataset.words;
      if (place.textContent !== words) place.replaceChildren(who.length ? el('b', {}, words) : words);
    }
  }

  #row(item) {
    const mark = item.kind === 'supervision' ? sign('paper') : item.severity === 'major' ? el('span', { class: 'grave' }, t('Maj.')) : sign(item.overdue ? 'late' : 'hazard');
    const title = item.kind === 'supervision' ? t('Overdue notice') : item.severity === 'major' ? t('Major hazard') : t('Hazard');
    return el('li', { role: 'option', tabindex: -1, 'data-id': item.id, 'data-kind': item.kind, 'aria-selected': 'false' },
      el('span', { class: 'kind', title: item.kind === 'hazard' ? t('Mark for dispatch (X)') : title }, mark, el('span', { class: 'visually-hidden' }, title)),
      el('span', { class: 'what cut', title: item.what }, item.what),
      el('span', { class: `due${item.due.kind === 'late' ? ' is-late' : ''}` }, item.due.words),
      el('span', { class: 'where cut', title: `${item.number} ${item.place}` }, item.place),
      el('span', { class: 'whose cut', 'data-words': item.whose, title: item.whose }, item.whose));
  }
}

