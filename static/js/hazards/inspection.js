// An inspection in its form: answers are kept in this browser until they are sent; sent once under one client id, then
// the photos of what failed, each on its own, so that the inspection stands even if one of them does not come through.
import { ask } from '../ask.js';
import { distance } from '../distance.js';
import { digest, newId } from '../field/ids.js';
import { el, say, t } from '../words.js';

const API = '/api/v1/inspections/';
const KINDS = ['image/jpeg', 'image/png', 'image/webp'];
const LARGEST_B = 10 * 1024 * 1024, UPLOAD_MS = 120_000, WIDEST_M = 100_000;

class Inspect {
  #form; #fields; #summary; #send; #progress; #items; #key;
  #photos = new Map(); // code → [{file, url, sent}]
  #position = null;
  #attempt = null;     // {id, body}: frozen when it is sent, the same on every repeat
  #busy = false;

  constructor(form) {
    this.#form = form;
    [this.#fields, this.#summary, this.#send, this.#progress] = ['fields', 'summary', 'send', 'progress'].map(name => form.querySelector(`[data-${name}]`));
    this.#items = [...form.querySelectorAll('[data-item]')];
    const { reader, premises, version, of } = form.dataset;
    this.#key = `inspection:${reader}:${premises}:${version}:${of}`; // of one reader: nobody sends what another wrote
    for (const item of this.#items) this.#listen(item);
    form.querySelector('[data-here]').addEventListener('click', () => this.#here());
    form.addEventListener('input', () => { this.#keep(); this.#show(); });
    form.addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
    this.#restore();
    this.#show();
    form.dataset.ready = 'yes';
  }

  // ---- answers
  #answer(item) { return item.querySelector('input[type=radio]:checked')?.value ?? ''; }

  #listen(item) {
    const code = item.dataset.item, input = item.querySelector('[data-file]');
    this.#photos.set(code, []);
    input.addEventListener('change', () => {
      for (const file of input.files) this.#photos.get(code).push({ file, url: URL.createObjectURL(file), sent: false });
      input.value = '';
      this.#draw(item);
    });
  }

  #draw(item) {
    const code = item.dataset.item;
    item.querySelector('[data-chosen]').replaceChildren(...this.#photos.get(code).map(photo => {
      const gone = el('button', { class: 'button is-small', type: 'button', 'aria-label': say('Take away %(name)s', { name: photo.file.name }) }, '×');
      gone.addEventListener('click', () => {
        URL.revokeObjectURL(photo.url);
        this.#photos.set(code, this.#photos.get(code).filter(other => other !== photo));
        this.#draw(item);
      });
      return el('li', {}, el('img', { src: photo.url, alt: photo.file.name }), photo.sent ? el('span', { class: 'quiet' }, t('stored')) : gone);
    }));
  }

  #show() {
    for (const item of this.#items) item.querySelector('[data-failed]').hidden = this.#answer(item) !== 'fail';
    const done = this.#items.filter(item => this.#answer(item)).length;
    if (!this.#busy) this.#progress.textContent = `${done} / ${this.#items.length}`;
  }

  #keep() {
    const items = Object.fromEntries(this.#items.map(item => [item.dataset.item, { result: this.#answer(item), words: item.querySelector('[data-words]').value }]));
    const draft = { items, words: this.#form.querySelector('[data-visit-words]').value, position: this.#position, attempt: this.#attempt };
    try { localStorage.setItem(this.#key, JSON.stringify(draft)); } catch { /* full or forbidden: the form still holds it */ }
  }

  #restore() {
    let draft = null;
    try { draft = JSON.parse(localStorage.getItem(this.#key)); } catch { /* none that can be read */ }
    if (!draft) return;
    for (const item of this.#items) {
      const { result, words } = draft.items?.[item.dataset.item] ?? {};
      const radio = [...item.querySelectorAll('input[type=radio]')].find(({ value }) => value === result);
      if (radio) radio.checked = true;
      item.querySelector('[data-words]').value = words ?? '';
    }
    this.#form.querySelector('[data-visit-words]').value = draft.words ?? '';
    this.#position = draft.position ?? null;
    this.#sayPosition();
    this.#attempt = draft.attempt ?? null; // it may have arrived: sent again it goes out as it was
    if (this.#attempt) this.#unsure(t('This inspection was sent and no answer was seen. Sending it again records it once only.'));
  }

  #here() {
    const said = this.#form.querySelector('[data-position]');
    const fail = () => { said.textContent = t('This device does not tell its position; the inspection is sent without it.'); };
    if (!navigator.geolocation) { fail(); return; }
    said.textContent = t('Looking for the position …');
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      this.#position = { lon: coords.longitude, lat: coords.latitude, accuracy_m: Math.min(coords.accuracy, WIDEST_M), datum: 'wgs84' };
      this.#sayPosition();
      this.#keep();
    }, fail, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  }

  #sayPosition() {
    if (!this.#position) return;
    const { lon, lat } = this.#form.dataset;
    const metres = Math.round(distance(this.#position, { lon: Number(lon), lat: Number(lat) }));
    this.#form.querySelector('[data-position]').textContent = say('%(n)s m from the premises, ± %(accuracy)s m', { n: metres, accuracy: Math.round(this.#position.accuracy_m) });
  }

  #faults() {
    const faults = this.#items.filter(item => !this.#answer(item)).map(item => ({ field: `results.${item.dataset.item}`, words: say('Not answered: %(item)s', { item: this.#text(item) }) }));
    for (const item of this.#failed()) {
      const photos = this.#photos.get(item.dataset.item);
      if ('photo' in item.dataset && !photos.length) faults.push({ field: `results.${item.dataset.item}`, words: say('Photo missing: %(item)s', { item: this.#text(item) }) });
      for (const { file } of photos) {
        if (!KINDS.includes(file.type)) faults.push({ field: `results.${item.dataset.item}`, words: say('%(name)s is no JPEG, PNG or WebP.', { name: file.name }) });
        if (file.size > LARGEST_B) faults.push({ field: `results.${item.dataset.item}`, words: say('%(name)s is larger than 10 MB.', { name: file.name }) });
      }
    }
    return faults;
  }

  #text(item) { return item.querySelector('legend').lastChild.textContent.trim(); }
  #failed() { return this.#items.filter(item => this.#answer(item) === 'fail'); }

  #body() {
    const { premises, version, of } = this.#form.dataset;
    return {
      id: newId(), premises, checklist_version: Number(version), of: of || null, position: this.#position,
      inspected_at: new Date().toISOString(), words: this.#form.querySelector('[data-visit-words]').value.trim(),
      results: this.#items.map(item => ({
        item: item.dataset.item, result: this.#answer(item),
        ...(this.#answer(item) === 'fail' ? { words: item.querySelector('[data-words]').value.trim(), hazard: newId() } : {}),
      })),
    };
  }

  // ---- sending
  async #submit() {
    if (this.#busy) return;
    this.#complain([]);
    const faults = this.#attempt ? [] : this.#faults();
    if (faults.length) { this.#complain(faults); return; }
    this.#attempt ??= { body: this.#body() };
    this.#keep();
    this.#hold(true, t('Sending …'));
    const answer = await ask('POST', API, { data: this.#attempt.body });
    this.#hold(false);
    this.#take(answer);
  }

  #hold(busy, words = '') {
    this.#busy = busy;
    this.#fields.disabled = busy || this.#attempt !== null;
    this.#send.setAttribute('aria-disabled', String(busy));
    this.#progress.textContent = words;
    if (!busy) this.#show();
  }

  #unsure(words, more = null) {
    this.#fields.disabled = true;
    this.#send.textContent = t('Send again');
    this.#complain([{ field: '', words }], more);
  }

  #take({ status, body, request }) {
    if (status === 200 || status === 201) { this.#recorded(body); return; }
    if (status === 0 || status === 401 || status === 429 || status >= 500) {
      const words = status === 401
        ? t('Your session has ended. Sign in again; what you wrote is kept in this browser.')
        : status === 0
          ? t('No answer came: the network or the server is away. What you wrote is kept; sending again records it once only.')
          : say('The server could not answer (%(status)s). Sending again records it once only.', { status });
      const next = encodeURIComponent(location.pathname + location.search);
      this.#unsure(request ? `${words} ${say('Request %(id)s', { id: request })}` : words,
        status === 401 ? el('a', { class: 'button is-small', href: `/login/?next=${next}` }, t('Sign in')) : null);
      return;
    }
    this.#attempt = null; // refused: nothing was recorded, so another attempt is another one
    this.#fields.disabled = false;
    this.#send.textContent = t('Send inspection');
    this.#keep();
    const faults = (body?.errors ?? []).map(({ attr, detail }) => ({ field: attr ?? '', words: detail }));
    this.#complain(faults.length ? faults : [{ field: '', words: say('The server refused it (%(status)s).', { status }) }]);
  }

  async #recorded(row) {
    try { localStorage.removeItem(this.#key); } catch { /* none is kept */ }
    const box = document.querySelector('[data-done]'), missing = el('p', { role: 'status' });
    const again = el('button', { class: 'button', type: 'button', hidden: true }, t('Send photos again'));
    box.replaceChildren(
      el('h2', {}, say('Recorded as %(number)s', { number: row.number })),
      el('p', {}, row.failed ? say('%(failed)s failed, %(passed)s passed', row) : t('Everything passed.')),
      el('ul', { class: 'inspect-done' }, ...row.results.filter(({ result }) => result === 'fail').map(({ text, hazard, was_open: known }) => el('li', {}, `${text}: `,
        hazard ? el('a', { class: 'link', href: `/hazards/${hazard.id}/` }, hazard.number) : '', ' ', el('span', { class: 'quiet' }, known ? t('was open already, not filed twice') : t('filed as hazard'))))),
      missing, again,
      el('p', { class: 'row wrap' }, el('a', { class: 'button is-main', href: `/inspections/${row.id}/` }, t('Show the inspection')), el('a', { class: 'button', href: '/inspections/?soon=true' }, t('What is due next'))),
    );
    this.#form.hidden = true;
    box.hidden = false;
    box.focus();
    const send = async () => {
      again.hidden = true;
      const left = await this.#upload(row.id, words => { missing.textContent = words; });
      missing.textContent = left ? say('Photos that did not come through: %(n)s', { n: left }) : '';
      again.hidden = !left;
    };
    again.addEventListener('click', send);
    await send();
  }

  // Returns how many photos did not come through.
  async #upload(id, tell) {
    const waiting = this.#failed().flatMap(item => this.#photos.get(item.dataset.item).filter(({ sent }) => !sent).map(photo => [item.dataset.item, photo]));
    for (const [n, [code, photo]] of waiting.entries()) {
      tell(say('Photo %(n)s of %(all)s …', { n: n + 1, all: waiting.length }));
      const bytes = await photo.file.arrayBuffer(), said = new URLSearchParams({ role: code });
      if (photo.file.lastModified > 0) said.set('taken_at', new Date(photo.file.lastModified).toISOString());
      for (const [name, value] of Object.entries(this.#position ?? {})) said.set(name, value);
      const { status } = await ask('PUT', `${API}${id}/photos/${await digest(bytes)}?${said}`, { bytes, type: photo.file.type, wait: UPLOAD_MS });
      photo.sent = status === 200 || status === 201;
    }
    return waiting.filter(([, { sent }]) => !sent).length;
  }

  #complain(faults, more = null) {
    for (const box of this.#form.querySelectorAll('.is-wrong')) { box.classList.remove('is-wrong'); box.querySelector('.wrong')?.remove(); }
    const lines = faults.map(({ field, words }) => {
      const box = [...this.#form.querySelectorAll('[data-field]')].find(({ dataset }) => field && (dataset.field === field || field.startsWith(`${dataset.field}.`)));
      if (!box) return el('li', {}, words);
      box.classList.add('is-wrong');
      box.append(el('p', { class: 'wrong' }, words));
      return el('li', {}, el('a', { href: `#${box.querySelector('input, button').id}` }, words));
    });
    this.#summary.hidden = !faults.length;
    this.#summary.replaceChildren(el('h2', {}, t('Not recorded yet')), el('ul', {}, ...lines), more ?? '');
    if (faults.length) this.#summary.focus();
  }
}

for (const form of document.querySelectorAll('[data-inspect]')) new Inspect(form);
