// The live list and the overdue list: rows of one set of hazards, known whole or as yet only by the news of them.
import { StillList } from '../still-list.js';
import { age, el, moment, say, sign, span, t } from '../words.js';

const NEWEST = 40, LONGEST_OVER = 24; // as the server sends them
const ENDED = new Set(['written_off', 'refused']);
const SIGNS = { reported: 'open', accepted: 'half', dispatched: 'half', taken: 'half', rectified: 'clock', verified: 'tick', written_off: 'tick', refused: 'no' };
const NEW_FOR_MS = 4000;

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
// Times are the server's text: within a millisecond its microseconds decide.
const newerFirst = (a, b) => Date.parse(b.at) - Date.parse(a.at) || order(b.at, a.at) || order(a.id, b.id);
const longestFirst = (a, b) => Date.parse(a.due_at) - Date.parse(b.due_at) || order(a.due_at, b.due_at) || order(a.id, b.id);

export class Lists {
  #items = new Map(); #newest = []; #late = []; #towns = {}; #config; #clock; #changed; #lists;

  constructor({ config, clock, onChange }) {
    this.#config = config;
    this.#clock = clock;
    this.#changed = onChange;
    this.#lists = [
      new StillList(document.getElementById('live'), { row: item => this.#liveRow(item), empty: () => this.#emptyLive(), keyOf }),
      new StillList(document.getElementById('late'), { row: item => this.#lateRow(item), empty: () => t('No hazard is overdue. What passes its due time appears within seconds.'), keyOf }),
    ];
    new ResizeObserver(() => this.render()).observe(document.getElementById('board'));
    setInterval(() => this.tick(), 1000);
  }

  // The whole state, as a fresh page has it, and the news since. Returns the ids to ask for.
  take({ newest, overdue, towns }, since = []) {
    const known = since.map(fact => this.#items.get(fact.id)).filter(Boolean);
    this.#towns = towns;
    this.#items = new Map([...known, ...overdue, ...newest].map(item => [item.id, item]));
    this.#newest = newest.map(item => item.id);
    this.#late = overdue.map(item => item.id);
    return this.hear(since);
  }

  // News: the row is there at once; number, matter and place follow. Returns the ids to ask for.
  hear(facts) {
    const wanted = [];
    for (const fact of facts) {
      const known = this.#items.get(fact.id);
      const place = known?.place ?? this.#towns[fact.area.slice(0, 9)] ?? '';
      this.#items.set(fact.id, {
        number: '', matter: '', due_at: null, overdue: false, ...known, place,
        id: fact.id, state: fact.state, severity: fact.level || known?.severity, area: fact.area, lon: fact.lon, lat: fact.lat,
        at: fact.at, news: this.#clock.now(), ...(ENDED.has(fact.state) ? { overdue: false, due_at: null } : {}),
      });
      wanted.push(fact.id);
    }
    this.#newest = [...new Set([...wanted, ...this.#newest])].map(id => this.#items.get(id)).sort(newerFirst).slice(0, NEWEST).map(item => item.id);
    this.#sortLate();
    this.#forgetOthers();
    this.render();
    return wanted.filter(id => this.#items.has(id));
  }

  // Rows that were asked for. News that came since is newer than they are.
  learn(rows) {
    for (const row of rows) {
      const known = this.#items.get(row.id);
      if (known && Date.parse(known.at) > Date.parse(row.at)) continue;
      this.#items.set(row.id, { ...row, news: known?.news });
    }
    this.#newest = this.#newest.map(id => this.#items.get(id)).sort(newerFirst).map(item => item.id);
    this.#sortLate(rows.map(row => row.id));
    this.#forgetOthers();
    this.render();
  }

  get onMap() {
    return [...this.#items.values()].filter(item => item.lon !== null && !ENDED.has(item.state));
  }

  render() {
    const room = this.#lists.map(list => list.room());
    this.#lists[0].show(this.#newest.slice(0, room[0]).map(id => this.#items.get(id)));
    this.#lists[1].show(this.#late.slice(0, room[1]).map(id => this.#items.get(id)));
    this.tick();
    this.#changed(this.onMap);
  }

  // Ages run by the server's clock.
  tick() {
    const now = this.#clock.now();
    for (const node of document.querySelectorAll('[data-since]')) write(node, age(Date.parse(node.dataset.since), now));
    for (const node of document.querySelectorAll('[data-due]')) write(node, say('%(span)s over', { span: span(now - Date.parse(node.dataset.due)) }));
  }

  #sortLate(more = []) {
    const candidates = new Set([...this.#late, ...more, ...this.#newest]);
    this.#late = [...candidates].map(id => this.#items.get(id)).filter(item => item?.overdue && item.due_at).sort(longestFirst).slice(0, LONGEST_OVER).map(item => item.id);
  }

  #forgetOthers() {
    const shown = new Set([...this.#newest, ...this.#late]);
    for (const id of this.#items.keys()) if (!shown.has(id)) this.#items.delete(id);
  }

  #frame(item, ...cells) {
    const href = this.#config.opens_lists ? `${this.#config.hazards}${item.id}/` : null;
    const mark = item.severity === 'major' ? el('span', { class: 'grave', title: t('Major') }, t('Maj.')) : sign(item.overdue ? 'late' : 'hazard');
    const isNew = item.news && this.#clock.now() - item.news < NEW_FOR_MS;
    return el('li', { 'data-id': item.id, 'data-state': item.state, class: isNew ? 'is-new' : null }, el(href ? 'a' : 'div', { class: 'case', href }, mark, ...cells));
  }

  #liveRow(item) {
    const state = this.#config.states[item.state] ?? item.state;
    return this.#frame(item,
      item.matter ? el('span', { class: 'what cut', title: item.matter }, item.matter) : el('span', { class: 'what cut is-coming' }, t('being read …')),
      el('span', { class: `step${ENDED.has(item.state) ? ' is-ended' : ''}` }, sign(SIGNS[item.state] ?? 'open'), state),
      this.#place(item),
      el('span', { class: 'when' }, el('time', { datetime: item.at }, moment(Date.parse(item.at), this.#clock.now())), el('span', { class: 'ago', 'data-since': item.at })));
  }

  #lateRow(item) {
    return this.#frame(item,
      el('span', { class: 'what cut', title: item.matter }, item.matter || t('being read …')),
      el('span', { class: 'over', 'data-due': item.due_at }),
      this.#place(item),
      el('span', { class: 'when' }, this.#config.states[item.state] ?? item.state));
  }

  #place(item) {
    return el('span', { class: 'place cut', title: `${item.number} ${item.place}` }, item.number ? el('b', {}, short(item.number)) : null, item.place || t('place not in any cell'));
  }

  #emptyLive() {
    return t('No report and no step yet. Reception is in order; news appears here at once.');
  }
}

// YH-20261124-00517 → 1124-00517: the year and the kind are the same in every row; the title has the whole.
const short = text => text.replace(/^YH-\d{4}(?=\d{4}-)/, '');

function write(node, text) { if (node.textContent !== text) node.textContent = text; }

const keyOf = item => [item.state, item.at, item.number, item.matter, item.overdue, item.due_at, item.severity].join('|');
