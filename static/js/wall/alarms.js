// What is said aloud: a major hazard that nobody has accepted or refused, every fifteen seconds; what has just become
// overdue, once. What is older than five minutes, or was missed, is said in one line and makes no sound.
import { clock as clockWords, el, number, say, t } from '../words.js';

const AGAIN_MS = 15000, OLD_MS = 300000, SOFT_PAUSE_MS = 10000, SUMMARY_MS = 120000;
const BEGINS = new Set(['hazard.reported', 'hazard.contest']), LATE = 'hazard.mark_overdue';
const KEPT = 'wall.ringing', MOST_KEPT = 200; // of this tab: a page that loads itself again goes on ringing

export class Alarms {
  #sounds; #clock; #open; #page; #ringing; #missed = null; #softAt = -Infinity; #softTimer = null; #rows = new Map(); #began = false;

  // ``page(id)``: where a case, or without an id the list of those that wait, is opened; '' where nothing may be.
  constructor({ sounds, clock, open, page }) {
    this.#sounds = sounds;
    this.#clock = clock;
    this.#open = open;
    this.#page = page;
    this.#ringing = new Set(JSON.parse(sessionStorage.getItem(KEPT) ?? '[]'));
    setInterval(() => this.#ring(), AGAIN_MS);
  }

  get isRinging() { return this.#waiting().length > 0; }

  // ``missed``: facts of the time when the line was cut.
  hear(facts, missed) {
    const soon = facts.filter(fact => (BEGINS.has(fact.topic) && fact.level === 'major') || fact.topic === LATE);
    const late = soon.filter(fact => fact.topic === LATE), majors = soon.filter(fact => fact.topic !== LATE);
    const isNew = fact => !missed && this.#clock.now() - Date.parse(fact.at) < OLD_MS;
    const untold = soon.filter(fact => !isNew(fact));
    if (untold.length) this.#miss(majors.filter(fact => !isNew(fact)).length, late.filter(fact => !isNew(fact)).length);
    if (late.some(isNew)) this.#soft();
    if (majors.some(isNew)) this.#start(majors.filter(isNew).map(fact => fact.id));
  }

  // The line is whole again: what began while it was cut, less than five minutes ago, and still waits, is rung for.
  caughtUp() { this.#start(this.#young()); }

  // News came by the row and could not be counted.
  lostCount() {
    this.#missed = { until: this.#clock.now() + SUMMARY_MS, words: t('Too much was missed to be told one by one; the lists show how it stands. No sound was made for it.') };
    this.draw();
  }

  // The open hazards changed: who was answered waits no longer.
  changed() {
    if (!this.#began) { this.#began = true; this.#start(this.#young()); }
    this.draw();
  }

  learn(rows) {
    for (const row of rows) if (row.severity === 'major') this.#rows.set(row.id, row);
    this.draw();
  }

  draw() {
    this.#drawWaiting();
    const line = document.getElementById('missed'), missed = this.#missed;
    if (missed && this.#clock.now() > missed.until) this.#missed = null;
    line.hidden = !this.#missed;
    write(line.querySelector('span'), this.#missed?.words ?? '');
  }

  forgetMissed() {
    this.#missed = null;
    this.draw();
  }

  #young() { return this.#open.unanswered.filter(row => this.#clock.now() - row.since < OLD_MS).map(row => row.id); }

  #waiting() { return this.#open.unanswered.filter(row => this.#ringing.has(row.id)); }

  #start(ids) {
    const begun = ids.filter(id => !this.#ringing.has(id));
    if (!begun.length) return;
    for (const id of begun) this.#ringing.add(id);
    sessionStorage.setItem(KEPT, JSON.stringify([...this.#ringing].slice(-MOST_KEPT)));
    this.#ring();
  }

  #ring() {
    if (this.isRinging) this.#sounds.play('waiting');
    this.draw();
  }

  // However many become late together: one note.
  #soft() {
    const pause = SOFT_PAUSE_MS - (performance.now() - this.#softAt);
    if (this.#softTimer) return;
    this.#softTimer = setTimeout(() => {
      this.#softTimer = null;
      this.#softAt = performance.now();
      this.#sounds.play('late');
    }, Math.max(0, pause));
  }

  #miss(majors, late) {
    const now = this.#clock.now(), before = this.#missed?.majors === undefined ? { majors: 0, late: 0 } : this.#missed;
    const sum = { majors: before.majors + majors, late: before.late + late };
    const words = [];
    if (sum.majors) words.push(say('%(n)s major reported', { n: number(sum.majors) }));
    if (sum.late) words.push(say('%(n)s became overdue', { n: number(sum.late) }));
    this.#missed = { ...sum, until: now + SUMMARY_MS, words: say('While this screen was not live: %(what)s. No sound was made for it.', { what: words.join(t(', ')) }) };
    this.draw();
  }

  #drawWaiting() {
    const line = document.getElementById('waiting'), waiting = this.#open.unanswered, [first] = waiting;
    line.hidden = !first;
    if (!first) { line.dataset.key = ''; return; }
    const row = this.#rows.get(first.id), ringing = this.isRinging && this.#sounds.state === 'on';
    const key = JSON.stringify([first.id, waiting.length, row, ringing]);
    if (line.dataset.key === key) return;
    line.dataset.key = key;
    const what = row ? `${row.matter} · ${row.place || t('place not in any cell')}` : '';
    const words = waiting.length === 1
      ? el('span', { class: 'words' }, t('Waits to be accepted or refused:'), ' ', what, ' ')
      : el('span', { class: 'words' }, say('%(n)s wait to be accepted or refused, the first:', { n: number(waiting.length) }), ' ', what, ' ');
    const page = waiting.length === 1 ? this.#page(first.id) : this.#page();
    line.replaceChildren(el('span', { class: 'grave' }, t('Maj.')), words,
      el('time', { datetime: new Date(first.since).toISOString() }, say('since %(time)s', { time: clockWords(first.since) })),
      ringing ? el('small', {}, t('sounds every 15 s')) : '', page ? el('a', { class: 'button', href: page }, t('Open it')) : '');
  }
}

function write(node, text) { if (node.textContent !== text) node.textContent = text; }
