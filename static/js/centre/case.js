// The case at the right: fetched as the server shows it, its steps taken in place.
import { Case } from '../hazards/step-form.js';
import { FetchFailed } from '../wall/feed.js';
import { el, say, sign, t } from '../words.js';

const EMPTY = t('No case is open. Enter opens the one chosen in the list; a drop on the map opens its case.');

const OWN_MS = 3000; // for the answer to one's own step
const MARKS = /mark_(overdue|unanswered)$/; // news that leave the version as it was

export class OpenCase {
  #box = document.getElementById('case'); #config; #on; #kind = ''; #id = null; #case = null; #asking = 0; #people = []; #place = null; #sentAt = 0; #told = '';

  constructor({ config, ...on }) { this.#config = config; this.#on = on; }

  get id() { return this.#id; }
  get key() { return this.#id ? `${this.#kind}:${this.#id}` : ''; }
  get place() { return this.#place; }

  async open(kind, id, { again = false } = {}) {
    const mine = ++this.#asking;
    const scroll = again ? this.#box.scrollTop : 0;
    if (!again) this.#wait();
    try {
      const text = await page(`${this.#config.page}${kind}/${id}/`);
      if (mine !== this.#asking) return;
      this.#kind = kind;
      this.#id = id;
      this.#show(text);
      this.#box.scrollTop = scroll;
      if (!again) this.#on.onOpen(kind, id, this.#place);
    } catch (error) {
      if (mine === this.#asking) this.#failed(error, () => this.open(kind, id));
    }
  }

  close() {
    if (!this.#id) return false;
    this.#asking += 1;
    this.#id = this.#case = this.#place = null;
    this.#box.replaceChildren(el('div', { class: 'empty' }, el('p', {}, EMPTY)));
    this.#on.onClose();
    return true;
  }

  focus() { this.#box.querySelector('h2')?.focus(); }
  get hasFocus() { return this.#box.contains(document.activeElement); }

  // News of the open case: shown at once, unless somebody is writing in it. What we did ourselves is shown already.
  async hear(facts) {
    const id = this.#id, news = facts.find(fact => fact.id === id), wait = this.#sentAt + OWN_MS - Date.now();
    if (!news) return;
    if (wait > 0) { setTimeout(() => this.hear(facts), wait); return; }
    const { status, body } = await this.#case.ask('GET', '');
    if (id !== this.#id || status !== 200 || (body.version === this.#case.version && !MARKS.test(news.topic))) return;
    if (!this.#isWriting) { this.open(this.#kind, id, { again: true }); return; }
    const said = this.#box.querySelector('[data-said]');
    said.replaceChildren(el('p', {}, t('This case changed since you opened it.')), el('button', { type: 'button', class: 'button is-small', 'data-reload': true }, t('Reload')));
    said.hidden = false;
  }

  // Do the step of a key: at once where it asks for nothing, else open its form. False where there is none.
  act(key) {
    const button = [...this.#box.querySelectorAll('[data-act]')].find(one => one.dataset.key === key);
    button?.click();
    return Boolean(button);
  }

  showPeople(people) {
    this.#people = people;
    const place = this.#box.querySelector('[data-with]');
    if (!place) return;
    const who = [...new Set(people.filter(person => person.id === this.#id).map(person => person.who))].join(', ');
    place.hidden = !who;
    place.replaceChildren(...(who ? [sign('half'), say('%(who)s has this case open too', { who })] : []));
  }

  openChain() { this.#box.querySelector('[data-chain]')?.click(); }

  get #isWriting() {
    return Boolean(this.#box.querySelector('.step-form[open]')) && (this.hasFocus || [...this.#box.querySelectorAll('.step-form textarea')].some(field => field.value.trim()));
  }

  #wait() {
    this.#box.setAttribute('aria-busy', 'true');
    this.#box.replaceChildren(el('div', { class: 'loading', role: 'status' }, el('span', { class: 'visually-hidden' }, t('Loading')), el('i'), el('i'), el('i')));
  }

  #show(text) {
    this.#box.removeAttribute('aria-busy');
    this.#box.innerHTML = text;
    const root = this.#box.querySelector('.case');
    this.#place = { lon: Number(root.dataset.lon), lat: Number(root.dataset.lat) };
    this.#case = new Case(root, {
      states: this.#config.states,
      beside: root.querySelector('.case-acts'),
      reload: () => this.open(this.#kind, this.#id, { again: true }).then(() => this.focus()),
      done: (now, label) => this.#done(root, now, label),
    });
    root.addEventListener('submit', () => { this.#sentAt = Date.now(); });
    for (const button of root.querySelectorAll('[data-act]')) button.addEventListener('click', () => this.#press(root, button));
    for (const select of root.querySelectorAll('.step-form select')) select.addEventListener('keydown', event => { if (event.key === 'Enter') { event.preventDefault(); select.form.requestSubmit(); } });
    if (this.#told) {
      const said = root.querySelector('[data-said]');
      said.replaceChildren(el('p', {}, this.#told));
      said.hidden = false;
      this.#on.said(this.#told);
      this.#told = '';
    } else this.#on.said(say('Opened: %(number)s, %(what)s', { number: root.dataset.number, what: root.querySelector('h2').textContent }));
    this.showPeople(this.#people);
  }

  #press(root, button) {
    const form = root.querySelector(`form[data-step="${button.dataset.act}"]`), box = form.closest('details');
    if ('plain' in button.dataset) { // pressed twice it is still one step: the form sends once
      box.open = true; // what goes wrong is said in it
      form.requestSubmit();
      return;
    }
    box.open = true;
    for (const other of root.querySelectorAll('[data-act]')) other.setAttribute('aria-expanded', String(other === button));
    form.querySelector('select, textarea, input:not([type=hidden])')?.focus();
    form.scrollIntoView({ block: 'nearest' });
  }

  // The step was taken. The case is shown as it is now; if another one was opened meanwhile, that one stays.
  async #done(root, now, label) {
    this.#sentAt = 0;
    const words = say('Done: %(step)s. The case now stands at: %(state)s.', { step: label, state: this.#config.states[now.state] ?? now.state });
    this.#on.said(words);
    const had = this.hasFocus, shown = root === this.#box.querySelector('.case');
    if (shown) {
      this.#told = words;
      await this.open(this.#kind, this.#id, { again: true });
      if (had) this.focus();
    }
    this.#on.onStep();
  }

  #failed(error, retry) {
    this.#box.removeAttribute('aria-busy');
    if (error.code === 401) { location.reload(); return; }
    const words = error.code === 404 ? t('This case is not visible to you, or does not exist.') : say('Could not be read (%(code)s)', { code: error.code || t('no connection') });
    const again = el('button', { type: 'button', class: 'button is-small' }, t('Try again'));
    again.addEventListener('click', retry);
    this.#box.replaceChildren(el('div', { class: 'failed', role: 'alert' }, el('p', { class: 'row' }, sign('warn'), el('b', {}, words)), error.code === 404 ? '' : el('p', {}, again)));
  }
}

async function page(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: 'text/html' }, credentials: 'same-origin', redirect: 'manual' });
  } catch { throw new FetchFailed(0); }
  if (answer.type === 'opaqueredirect') throw new FetchFailed(401); // to the page where one signs in
  if (!answer.ok) throw new FetchFailed(answer.status);
  return answer.text();
}
