// Search with the keyboard: what is found stands under the field; arrows choose, Enter opens.
import { read } from '../wall/feed.js';
import { el, say, sign, t } from '../words.js';

const PAUSE_MS = 150, LOADING_MS = 300;
const KINDS = { county: t('County'), township: t('Township'), village: t('Village'), cell: t('Cell'), premises: t('Premises'), matter: t('Matter'), city: t('City') };

export class Search {
  #input = document.getElementById('search'); #list = document.getElementById('found'); #config; #on; #timer = null; #asking = 0; #at = -1;

  constructor({ config, ...on }) {
    this.#config = config;
    this.#on = on;
    this.#input.addEventListener('input', () => { clearTimeout(this.#timer); this.#timer = setTimeout(() => this.#ask(), PAUSE_MS); });
    this.#input.addEventListener('keydown', event => this.#key(event));
    this.#input.addEventListener('focus', () => { if (this.#input.value && this.#list.children.length) this.#open(true); });
    this.#input.addEventListener('blur', () => setTimeout(() => this.#open(false), 150));
    this.#list.addEventListener('mousedown', event => event.preventDefault()); // the field keeps the focus
    this.#list.addEventListener('click', event => event.target.closest('[role=option]')?.choose());
  }

  async #ask() {
    const text = this.#input.value.trim(), mine = ++this.#asking;
    if (!text) { this.#open(false); this.#list.replaceChildren(); return; }
    const wait = setTimeout(() => { if (mine === this.#asking) this.#say(t('Looking …')); }, LOADING_MS);
    try {
      const found = await read(`${this.#config.search}?${new URLSearchParams({ q: text, area: this.#config.home })}`);
      if (mine === this.#asking) this.#show(found, text);
    } catch (error) {
      if (mine === this.#asking) this.#say(say('Could not be read (%(code)s)', { code: error.code || t('no connection') }));
    } finally { clearTimeout(wait); }
  }

  #show({ cases, places }, text) {
    const options = [
      ...cases.map(item => this.#option([sign(item.overdue ? 'late' : 'hazard'), el('span', { class: 'cut' }, item.what), el('span', { class: item.due.kind === 'late' ? 'late' : 'quiet' }, item.due.words || item.whose), el('small', { class: 'cut' }, `${item.number} · ${item.place}`)], () => this.#on.onCase(item))),
      ...places.map(place => this.#option([sign('open'), el('span', { class: 'cut' }, place.name), el('span', { class: 'what-kind' }, KINDS[place.kind] ?? place.kind)], () => this.#on.onPlace(place))),
    ];
    if (!options.length) { this.#say(say('Nothing is found for “%(text)s”: open cases by number, place or words; others by their whole number.', { text })); return; }
    this.#list.replaceChildren(...options);
    this.#choose(0);
    this.#open(true);
  }

  #option(content, choose) {
    const node = el('div', { role: 'option', id: `found-${Math.random().toString(36).slice(2)}`, 'aria-selected': 'false' }, ...content);
    node.choose = () => { this.#open(false); this.#input.value = ''; this.#list.replaceChildren(); choose(); };
    return node;
  }

  #say(words) {
    this.#list.replaceChildren(el('p', { class: 'empty', role: 'status' }, words));
    this.#at = -1;
    this.#input.removeAttribute('aria-activedescendant');
    this.#open(true);
  }

  #open(open) {
    this.#list.hidden = !open;
    this.#input.setAttribute('aria-expanded', String(open));
  }

  get #options() { return [...this.#list.querySelectorAll('[role=option]')]; }

  #choose(at) {
    const options = this.#options;
    this.#at = options.length ? (at + options.length) % options.length : -1;
    options.forEach((option, n) => option.setAttribute('aria-selected', String(n === this.#at)));
    if (options[this.#at]) { this.#input.setAttribute('aria-activedescendant', options[this.#at].id); options[this.#at].scrollIntoView({ block: 'nearest' }); }
  }

  #key(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); this.#choose(this.#at + (event.key === 'ArrowDown' ? 1 : -1)); }
    else if (event.key === 'Enter') { event.preventDefault(); if (!this.#list.hidden) this.#options[this.#at]?.choose(); }
    else if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); this.#input.value = ''; this.#list.replaceChildren(); this.#open(false); this.#on.focusList(); }
  }
}
