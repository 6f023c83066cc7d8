// Dispatch several cases at once, and take it back: the server holds them for some seconds and sends them by itself.
import { post } from '../ask.js';
import { newId } from '../field/ids.js';
import { read } from '../wall/feed.js';
import { el, number, say, t } from '../words.js';

const SHOWN_MS = 20_000, POLL_MS = 1000;

export class Bulk {
  #dialog = document.getElementById('bulk'); #going = document.getElementById('going'); #config; #said; #clock; #onGone;
  #rows = []; #attempt = null; #busy = false; #held = new Map(); #timer = null;

  constructor({ config, said, clock, onGone }) {
    this.#config = config; this.#said = said; this.#clock = clock; this.#onGone = onGone;
    this.#send.addEventListener('click', () => this.#dispatch());
    this.#dialog.addEventListener('keydown', event => { if (event.key === 'Enter' && event.target.matches('select')) { event.preventDefault(); this.#dispatch(); } });
    setInterval(() => this.#tick(), 500);
  }

  get #send() { return this.#dialog.querySelector('[data-send]'); }
  get #summary() { return this.#dialog.querySelector('.summary'); }

  // -- asking -------------------------------------------------------------------------------------------------------
  async ask(items) {
    if (!items.length || this.#dialog.open) return;
    this.#attempt = null;
    this.#busy = false;
    this.#complain([]);
    const box = this.#dialog.querySelector('.bulk-rows');
    box.replaceChildren(el('div', { class: 'loading', role: 'status' }, el('span', { class: 'visually-hidden' }, t('Loading')), el('i'), el('i'), el('i')));
    this.#send.hidden = true;
    this.#dialog.showModal();
    const { status, body } = await post(this.#config.trial, { hazards: items.map(item => item.id) });
    if (status !== 200) { box.replaceChildren(); this.#complain([status ? say('The server refused it (%(status)s).', { status }) : t('No answer came. Close and try again.')]); return; }
    this.#rows = body.results;
    box.replaceChildren(...this.#rows.map(row => this.#row(row)));
    const open = this.#rows.filter(row => !row.refusal).length;
    this.#send.hidden = !open;
    this.#send.textContent = say('Dispatch %(n)s', { n: number(open) });
    (open ? this.#send : this.#dialog.querySelector('[value=cancel]')).focus();
  }

  #row(row) {
    const id = `office-${row.hazard}`;
    const words = el('span', {}, row.what || t('Case'), ' ', el('span', { class: 'quiet' }, row.number));
    if (row.refusal) return el('div', { 'data-hazard': row.hazard }, words, el('span', { class: 'refused' }, row.words));
    const choices = row.offices.map(office => el('option', { value: office.code, selected: office.code === row.proposed }, office.code === row.proposed ? `${office.name} (${t('suggested')})` : office.name));
    return el('div', { 'data-hazard': row.hazard }, el('label', { for: id }, words), el('select', { id, name: row.hazard }, row.proposed ? '' : el('option', { value: '' }, t('Choose')), ...choices));
  }

  // One id for the whole and one for each case: a lost answer is asked for again under the same ids.
  async #dispatch() {
    if (this.#busy || this.#send.hidden) return;
    if (!this.#attempt) {
      const chosen = this.#rows.filter(row => !row.refusal).map(row => ({ row, department: document.getElementById(`office-${row.hazard}`).value }));
      const without = chosen.filter(({ department }) => !department);
      if (without.length) { this.#complain(without.map(({ row }) => say('%(number)s: choose an office.', { number: row.number }))); return; }
      this.#attempt = { id: newId(), items: chosen.map(({ row, department }) => ({ id: newId(), hazard: row.hazard, version: row.version, department })) };
    }
    this.#busy = true;
    this.#complain([]);
    this.#progress(t('Sending …'));
    const { status, body } = await post(this.#config.dispatches, this.#attempt);
    this.#busy = false;
    this.#progress('');
    if (status === 200) { this.#take(body, this.#attempt); return; }
    if (status === 0 || status >= 500 || status === 429) {
      this.#complain([t('No answer came. It is not known whether they were taken; sending again does it once only.')]);
      this.#send.textContent = t('Send again');
      return;
    }
    this.#attempt = null;
    this.#complain((body?.errors ?? []).map(({ detail }) => detail).concat(body?.errors ? [] : [say('The server refused it (%(status)s).', { status })]));
  }

  #take(answer, attempt) {
    this.#dialog.close();
    this.#attempt = null;
    const rows = new Map(this.#rows.map(row => [row.hazard, row]));
    const sendAt = Date.parse(answer.send_at) - Date.parse(answer.now) + performance.now();
    for (const result of answer.results) {
      const row = rows.get(result.hazard), item = attempt.items.find(one => one.hazard === result.hazard);
      const office = row.offices.find(one => one.code === item.department)?.name ?? '';
      this.#held.set(result.id, { ...result, number: row.number, what: row.what, department: office, sendAt, endedAt: result.state === 'held' ? null : performance.now() });
    }
    const held = answer.results.filter(result => result.state === 'held').length, refused = answer.results.length - held;
    this.#said(say('%(n)s go out in %(s)s s, %(refused)s refused. U undoes.', { n: held, s: this.#config.hold_s, refused }));
    this.#draw();
    this.#onGone();
    (this.#going.querySelector('[data-undo]') ?? document.querySelector('#rows li[tabindex="0"]'))?.focus();
  }

  // -- on their way -------------------------------------------------------------------------------------------------
  // What a closed page had given: still shown, and what was refused meanwhile is told.
  async recover() {
    try { this.#learn(await read(this.#config.dispatches), true); } catch { /* nothing is lost: they go out by themselves */ }
  }

  undoAll() {
    const ids = [...this.#held.values()].filter(row => row.state === 'held').map(row => row.id);
    if (ids.length) this.#undo(ids); else this.#said(t('Nothing is on its way that could be undone.'));
  }

  async #undo(ids) {
    const { status, body } = await post(this.#config.undo, { ids });
    if (status !== 200) { this.#said(t('The undo could not be sent. Try again.')); return; }
    this.#learn(body);
    const undone = body.results.filter(row => row.state === 'undone').length, late = body.results.filter(row => row.state === 'sent').length;
    this.#said(late ? say('%(n)s undone; %(late)s had gone out already.', { n: undone, late }) : say('%(n)s undone.', { n: undone }));
    this.#onGone();
  }

  #learn({ results, now }, isOld = false) {
    for (const row of results) {
      const known = this.#held.get(row.id);
      if (!known && isOld && !['held', 'refused'].includes(row.state)) continue;
      const sendAt = known?.sendAt ?? Date.parse(row.send_at) - Date.parse(now) + performance.now();
      const ended = row.state === 'held' ? null : known?.endedAt ?? performance.now();
      if (known?.state === 'held' && row.state === 'refused') this.#said(`${row.number}: ${row.words}`);
      this.#held.set(row.id, { ...known, ...row, sendAt, endedAt: ended });
    }
    this.#draw();
  }

  #tick() {
    if (!this.#held.size) return;
    const now = performance.now(), rows = [...this.#held.values()];
    for (const row of rows) if (row.endedAt && row.state !== 'refused' && now - row.endedAt > SHOWN_MS) this.#held.delete(row.id);
    if (rows.some(row => row.state === 'held' && row.sendAt < now + 200)) this.#poll();
    this.#draw();
  }

  async #poll() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => { this.#timer = null; }, POLL_MS);
    try {
      const before = [...this.#held.values()].filter(row => row.state === 'held').length;
      this.#learn(await read(this.#config.dispatches));
      if ([...this.#held.values()].filter(row => row.state === 'held').length !== before) this.#onGone();
    } catch { /* asked again in a second */ }
  }

  #draw() {
    const rows = [...this.#held.values()], now = performance.now();
    this.#going.hidden = !rows.length;
    const held = rows.filter(row => row.state === 'held').length;
    const key = rows.map(row => `${row.id}${row.state}`).join();
    if (this.#going.dataset.key !== key) {
      const at = document.activeElement?.dataset?.undo ?? null, had = this.#going.contains(document.activeElement);
      this.#going.dataset.key = key;
      this.#going.replaceChildren(el('h3', {}, el('span', {}, t('Dispatches on their way')), el('span', { class: 'end row' },
        held > 1 ? this.#button(t('Undo all'), () => this.undoAll(), { 'data-undo-all': true }) : '',
        held ? '' : this.#button(t('Take away'), () => { this.#held.clear(); this.#draw(); this.#focusList(); }, { 'data-done': true }))),
        el('ul', {}, ...rows.map(row => this.#goingRow(row))));
      if (had) (this.#going.querySelector(`[data-undo="${at}"]`) ?? this.#going.querySelector('[data-undo]') ?? this.#going.querySelector('[data-done]'))?.focus(); // never by itself to “undo all”
    }
    for (const row of rows) {
      const place = this.#going.querySelector(`[data-id="${row.id}"] [data-state]`);
      const words = row.state === 'held' ? say('goes out in %(s)s s', { s: Math.max(0, Math.ceil((row.sendAt - now) / 1000)) }) : row.state === 'sent' ? t('sent') : row.state === 'undone' ? t('undone') : t('not sent');
      if (place && place.textContent !== words) place.textContent = words;
    }
  }

  #goingRow(row) {
    const undo = row.state === 'held' ? this.#button(t('Undo'), () => this.#undo([row.id]), { 'data-undo': row.id, 'aria-label': say('Undo the dispatch of %(number)s', { number: row.number }) }) : '';
    return el('li', { 'data-id': row.id, 'data-row-state': row.state }, el('span', { class: 'cut' }, el('b', {}, row.number), ` → ${row.department}`), el('span', { class: 'row' }, el('span', { 'data-state': true }), undo), row.state === 'refused' ? el('small', {}, row.words) : '');
  }

  #button(words, act, more) {
    const button = el('button', { type: 'button', class: 'button is-small', ...more }, words);
    button.addEventListener('click', act);
    return button;
  }

  #focusList() { document.querySelector('#rows li[tabindex="0"]')?.focus(); }
  #progress(words) { this.#dialog.querySelector('[data-progress]').textContent = words; }

  #complain(lines) {
    this.#summary.hidden = !lines.length;
    this.#summary.replaceChildren(el('ul', {}, ...lines.map(line => el('li', {}, line))));
    if (lines.length) this.#summary.focus();
  }
}
