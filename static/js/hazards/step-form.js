// Steps of a case in its forms, on a page of its own or at the side of another. One client id for each attempt: a lost
// answer is asked for again under the same id, so nothing is done twice; what was typed is kept in this browser until
// the step is taken.
import { ask } from '../ask.js';
import { distance, tooFar } from '../distance.js';
import { digest, newId } from '../field/ids.js';
import { el, moment, say, t } from '../words.js';

const LAST_MS = Date.UTC(2100, 0, 1), WIDEST_M = 100_000; // what the door takes; a stranger clock says nothing
const UPLOAD_MS = 120_000, LARGEST_B = 10 * 1024 * 1024;
const CITY_OFFSET = '+08:00'; // times in forms are those of the city
const KINDS = ['image/jpeg', 'image/png', 'image/webp'];

// One case that is open. ``root`` tells which (data-hazard, -api, -version, -state, -reader); ``on.done`` is told of a
// step that was taken, ``on.reload`` asked to show the case as it is now.
export class Case {
  constructor(root, { states, done, reload, beside = root }) {
    this.root = root;
    this.states = states;
    this.done = done;
    this.version = Number(root.dataset.version);
    this.kept = keeper(`step:${root.dataset.reader}:${root.dataset.hazard}:`);
    root.addEventListener('click', event => { if (event.target.closest('[data-reload]')) reload(); });
    this.forms = [...root.querySelectorAll('form[data-step]')];
    for (const form of this.forms) new StepForm(form, this);
    this.#showLeftOver(new Set(this.forms.map(form => form.dataset.step)), beside);
  }

  word(state) { return this.states[state] ?? state; }

  change(present) {
    return say('You saw: %(was)s, version %(seen)s. Now: %(is)s, version %(now)s.', { was: this.word(this.root.dataset.state), seen: this.version, is: this.word(present.state), now: present.version });
  }

  ask(method, path, more) { return ask(method, this.root.dataset.api + path, more); }

  // Words for a step that somebody took, or that is not open any more, are shown until their writer throws them away.
  #showLeftOver(offered, beside) {
    for (const action of this.kept.actions().filter(name => !offered.has(name))) {
      const { words } = this.kept.read(action);
      if (!words) { this.kept.drop(action); continue; }
      const gone = el('button', { class: 'button is-small', type: 'button' }, t('Throw away'));
      const box = el('section', { class: 'panel', 'data-left-over': action }, el('div', { class: 'panel-body stack' },
        el('p', {}, t('You wrote this for a step that is not open any more. It was not sent.')), el('blockquote', {}, words), el('p', {}, gone)));
      gone.addEventListener('click', () => { this.kept.drop(action); box.remove(); });
      beside.prepend(box);
    }
  }
}

// What is kept while a step is being written.
function keeper(prefix) {
  return {
    actions() { try { return Object.keys(sessionStorage).filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length)); } catch { return []; } },
    read(action) { try { return JSON.parse(sessionStorage.getItem(prefix + action)) ?? {}; } catch { return {}; } },
    write(action, value) { try { sessionStorage.setItem(prefix + action, JSON.stringify(value)); } catch { /* full or forbidden: the form still holds it */ } },
    drop(action) { try { sessionStorage.removeItem(prefix + action); } catch { /* as above */ } },
  };
}

export const reload = () => el('button', { class: 'button is-small', type: 'button', 'data-reload': true }, t('Reload'));

const side = (title, rows) => el('section', {}, el('h3', {}, title), el('dl', {}, ...rows.filter(([, value]) => value).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, String(value))))));

class StepForm {
  #case; #form; #action; #summary; #fields; #send; #progress;
  #chosen = {};       // role → [{file, url, sent}]
  #attempt = null;    // {id, body}: frozen when it is sent, the same on every repeat
  #busy = false;

  constructor(form, of) {
    this.#case = of;
    this.#form = form;
    this.#action = form.dataset.step;
    this.#summary = form.querySelector('[data-summary]');
    this.#fields = form.querySelector('fieldset');
    this.#send = form.querySelector('[data-send]');
    this.#progress = form.querySelector('[data-progress]');
    for (const box of form.querySelectorAll('[data-photos]')) this.#listen(box);
    form.querySelector('[data-here]')?.addEventListener('click', () => this.#here());
    form.addEventListener('input', ({ target }) => {
      if (target.name === 'lon' || target.name === 'lat') this.#accuracy = null; // typed: no device vouches for it
      this.#keep();
      this.#sayDistance();
    });
    form.querySelector('[data-matters]')?.addEventListener('focus', ({ target }) => offerMatters(target), { once: true });
    form.addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
    this.#restore();
    form.dataset.ready = 'yes';
  }

  // ---- fields
  #value(name) { return this.#form.elements[name]?.value.trim() ?? ''; }

  // What only few steps ask: how much time, a cause, another case …
  #more() { return [...this.#form.querySelectorAll('[data-more]')]; }

  #keep() {
    const names = ['words', 'department', 'lon', 'lat', ...this.#more().map(({ name }) => name)];
    this.#case.kept.write(this.#action, Object.fromEntries(names.map(name => [name, this.#value(name)])));
  }

  #restore() {
    const values = this.#case.kept.read(this.#action);
    for (const [name, value] of Object.entries(values)) if (value && this.#form.elements[name]) this.#form.elements[name].value = value;
    if (values.words) this.#form.closest('details').open = true;
    this.#sayDistance();
  }

  #place() {
    const lon = Number(this.#value('lon').replace(',', '.')), lat = Number(this.#value('lat').replace(',', '.'));
    return this.#value('lon') && this.#value('lat') && Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? { lon, lat } : null;
  }

  #here() {
    const hint = this.#form.querySelector('[data-distance]');
    const fail = () => { hint.textContent = t('This device does not tell its position. Type the place, or verify on the phone.'); };
    if (!navigator.geolocation) { fail(); return; }
    hint.textContent = t('Looking for the position …');
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      this.#form.elements.lon.value = coords.longitude.toFixed(6);
      this.#form.elements.lat.value = coords.latitude.toFixed(6);
      this.#accuracy = coords.accuracy;
      this.#keep();
      this.#sayDistance();
    }, fail, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  }
  #accuracy = null;

  #sayDistance() {
    const hint = this.#form.querySelector('[data-distance]'), place = hint && this.#place();
    if (!place) return;
    const metres = Math.round(distance(place, { lon: Number(hint.dataset.lon), lat: Number(hint.dataset.lat) }));
    const within = Number(hint.dataset.within);
    const far = tooFar(metres, within, this.#accuracy);
    hint.classList.toggle('late', far);
    hint.textContent = far ? say('%(n)s m from the case; this matter is verified within %(limit)s m.', { n: metres, limit: within }) : say('%(n)s m from the case', { n: metres });
  }

  #listen(box) {
    const role = box.dataset.photos, input = box.querySelector('input'), list = box.querySelector('[data-chosen]');
    this.#chosen[role] = [];
    input.addEventListener('change', () => {
      for (const file of input.files) this.#chosen[role].push({ file, url: URL.createObjectURL(file), sent: false });
      input.value = '';
      this.#show(role, list);
    });
  }

  #show(role, list) {
    list.replaceChildren(...this.#chosen[role].map(photo => el('li', {}, el('img', { src: photo.url, alt: photo.file.name }),
      photo.sent ? el('span', { class: 'quiet' }, t('stored')) : remove(() => {
        URL.revokeObjectURL(photo.url);
        this.#chosen[role] = this.#chosen[role].filter(other => other !== photo);
        this.#show(role, list);
      }, photo.file.name))));
  }

  #faults() {
    const faults = [];
    for (const box of this.#form.querySelectorAll('[data-photos]')) {
      const role = box.dataset.photos, missing = Number(box.dataset.need) - this.#chosen[role].length;
      if (missing > 0) faults.push({ field: `photo:${role}`, words: say('Photos still missing: %(n)s', { n: missing }) });
      for (const { file } of this.#chosen[role]) {
        if (!KINDS.includes(file.type)) faults.push({ field: `photo:${role}`, words: say('%(name)s is no JPEG, PNG or WebP.', { name: file.name }) });
        if (file.size > LARGEST_B) faults.push({ field: `photo:${role}`, words: say('%(name)s is larger than 10 MB.', { name: file.name }) });
      }
    }
    if (this.#form.elements.lon && !this.#place()) faults.push({ field: 'location', words: t('This step needs the place where you stand.') });
    const words = this.#form.dataset.words;
    if (this.#form.elements.words.rows > 2 && !this.#value('words')) faults.push({ field: words, words: t('This step needs words.') });
    return faults;
  }

  #body() {
    const body = { id: this.#attempt?.id ?? newId(), version: this.#case.version };
    if (this.#value('words')) body[this.#form.dataset.words] = this.#value('words');
    if (this.#form.elements.department) body.department = this.#value('department');
    for (const { name, type, value } of this.#more()) {
      if (value.trim()) body[name] = type === 'number' ? Number(value) : type === 'datetime-local' ? `${value}:00${CITY_OFFSET}` : value.trim();
    }
    const place = this.#form.elements.lon && this.#place();
    if (this.#form.elements.sha256) body.sha256 = this.#value('sha256'); // of the bytes that the signer saw
    if (place) body.location = { ...place, accuracy_m: Math.min(this.#accuracy, WIDEST_M), datum: 'wgs84' };
    return body;
  }

  // ---- sending
  async #submit() {
    if (this.#busy) return; // a second click of a double click
    this.#complain([]);
    const faults = this.#attempt ? [] : this.#faults();
    if (faults.length) { this.#complain(faults); return; }
    this.#busy = true;
    this.#hold(true, t('Sending …'));
    this.#attempt ??= { body: this.#body() };
    this.#attempt.id = this.#attempt.body.id;
    const failed = await this.#upload();
    const answer = failed ?? await this.#case.ask('POST', `${this.#action}/`, { data: this.#attempt.body });
    this.#busy = false;
    this.#take(answer);
  }

  // What this device says of a photo: when the file was made and, where it told its position, where it stands.
  #claims(role, { lastModified: made }) {
    const said = new URLSearchParams({ role });
    if (made > 0 && made < LAST_MS) said.set('taken_at', new Date(made).toISOString());
    const place = this.#accuracy !== null && this.#form.elements.lon && this.#place();
    if (place) for (const [name, value] of Object.entries({ ...place, accuracy_m: this.#accuracy, datum: 'wgs84' })) said.set(name, value);
    return said;
  }

  async #upload() {
    for (const [role, photos] of Object.entries(this.#chosen)) {
      for (const [n, photo] of photos.entries()) {
        if (photo.sent) continue;
        this.#hold(true, say('Photo %(n)s of %(all)s …', { n: n + 1, all: photos.length }));
        const bytes = await photo.file.arrayBuffer();
        const answer = await this.#case.ask('PUT', `photos/${await digest(bytes)}?${this.#claims(role, photo.file)}`, { bytes, type: photo.file.type, wait: UPLOAD_MS });
        if (answer.status !== 200 && answer.status !== 201) return { ...answer, about: `photo:${role}`, name: photo.file.name };
        photo.sent = true;
        this.#show(role, this.#form.querySelector(`[data-photos="${role}"] [data-chosen]`));
      }
    }
    return null;
  }

  #hold(held, words = '') {
    this.#fields.disabled = held;
    this.#send.setAttribute('aria-disabled', String(this.#busy));
    this.#progress.textContent = words;
  }

  // What the answer means for the person. Without one the attempt stays frozen: the same id and body go out again.
  #take({ status, body, request, about, name }) {
    if (status === 200) { this.#done(body); return; }
    const unsure = status === 0 || status === 429 || status >= 500;
    if (unsure || status === 401) {
      this.#hold(true);
      this.#send.textContent = t('Send again');
      const words = status === 401
        ? t('Your session has ended. Sign in again; what you wrote is kept in this browser.')
        : status === 0
          ? t('No answer came: the network or the server is away. It is not known whether the step was taken; sending again does it once only.')
          : say('The server could not answer (%(status)s). Sending again does the step once only.', { status });
      this.#complain([{ field: '', words: request ? `${words} ${say('Request %(id)s', { id: request })}` : words }],
        status === 401 ? el('a', { class: 'button is-small', href: `/login/?next=${encodeURIComponent(location.pathname)}` }, t('Sign in')) : null);
      return;
    }
    this.#attempt = null; // refused: nothing was done, so another attempt is another one
    this.#hold(false);
    this.#send.textContent = this.#form.dataset.label;
    if (status === 409 && body?.present) { this.#conflict(body); return; }
    if (status === 403 && (body?.errors ?? []).some(({ detail }) => /CSRF/.test(detail ?? ''))) {
      this.#complain([{ field: '', words: t('You signed in anew since this page was opened. Reload it; what you wrote is kept.') }], reload());
      return;
    }
    const faults = (body?.errors ?? []).map(({ attr, detail }) => ({ field: about ?? attr ?? '', words: name ? `${name}: ${detail}` : detail }));
    this.#complain(faults.length ? faults : [{ field: '', words: say('The server refused it (%(status)s).', { status }) }], status === 404 ? reload() : null);
  }

  #done(now) {
    this.#case.kept.drop(this.#action);
    for (const photo of Object.values(this.#chosen).flat()) URL.revokeObjectURL(photo.url);
    this.#hold(true, t('Done'));
    this.#case.done(now, this.#form.dataset.label, this.#action);
  }

  // Mine beside theirs: nothing was overwritten, and nothing that was written is lost.
  #conflict({ present }) {
    const { words, department } = this.#form.elements;
    const place = this.#form.elements.lon && this.#place();
    const mine = [
      [t('Step'), this.#form.dataset.label], [t('Words'), words.value.trim()],
      ...this.#more().map(input => [input.labels[0]?.firstChild.textContent.trim() ?? '', input.selectedOptions?.[0]?.value ? input.selectedOptions[0].textContent : input.value]),
      [t('Department'), department?.selectedOptions[0]?.textContent ?? ''], [t('Place'), place ? `${place.lon}, ${place.lat}` : ''],
    ];
    const theirs = [
      [t('State'), this.#case.word(present.state)], [t('Department'), present.department_name ?? present.department?.name ?? ''],
      [t('Changed'), present.changed_at ? moment(Date.parse(present.changed_at), Date.now()) : ''], [t('Version'), present.version],
    ];
    this.#complain([
      { field: '', words: t('This case changed since you opened it. Nothing was overwritten; what you wrote is kept.') },
      { field: '', words: this.#case.change(present) },
    ], el('div', { class: 'versus' }, side(t('Yours, not sent'), mine), side(t('Now on the server'), theirs), el('p', { class: 'versus-act' }, reload())));
  }

  #complain(faults, more = null) {
    for (const box of this.#form.querySelectorAll('.is-wrong')) { box.classList.remove('is-wrong'); box.querySelector('.wrong')?.remove(); }
    for (const input of this.#form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
    const lines = faults.map(({ field, words }) => {
      const box = [...this.#form.querySelectorAll('[data-field]')].find(({ dataset }) => field && (dataset.field === field || field.startsWith(`${dataset.field}.`)));
      if (!box) return el('li', {}, words);
      const input = box.querySelector('input, select, textarea');
      box.classList.add('is-wrong');
      input.setAttribute('aria-invalid', 'true');
      box.append(el('p', { class: 'wrong' }, words));
      return el('li', {}, el('a', { href: `#${input.id}` }, words));
    });
    this.#summary.hidden = !faults.length;
    this.#summary.replaceChildren(el('h2', {}, t('The step was not taken')), el('ul', {}, ...lines), more ?? '');
    if (faults.length) this.#summary.focus();
  }
}

// The catalogue is only fetched by who wants to choose from it.
async function offerMatters(input) {
  const { status, body } = await ask('GET', '/api/v1/matters/?page_size=1000');
  if (status === 200) input.list.replaceChildren(...body.results.map(({ code, name }) => el('option', { value: code }, name)));
}

function remove(gone, name) {
  const button = el('button', { class: 'button is-small', type: 'button', 'aria-label': say('Take away %(name)s', { name }) }, '×');
  button.addEventListener('click', gone);
  return button;
}
