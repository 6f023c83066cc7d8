// Who of the command centre is at which case. We say where we are and renew it; what others say comes by the line.
import { post } from '../ask.js';
import { newId } from '../field/ids.js';

const RENEW_MS = 8000;
const english = () => document.documentElement.lang.startsWith('en');

export class Presence {
  #config; #changed; #page = newId(); #kind = ''; #id = null; #others = new Map();

  constructor({ config, onChange }) {
    this.#config = config;
    this.#changed = onChange;
    setInterval(() => { this.#forget(); if (this.#id) this.#say(); }, RENEW_MS);
    addEventListener('pagehide', () => { if (this.#id) this.#post({ page: this.#page, id: null }, true); });
    addEventListener('pageshow', event => { if (event.persisted && this.#id) this.#say(); });
  }

  get page() { return this.#page; }

  // Others, as the page shows them: {id, who}. What I have open in another window is no other's.
  get people() {
    return [...this.#others.values()].filter(entry => entry.desk.split('.')[0] !== this.#config.me).map(entry => ({ kind: entry.kind, id: entry.id, who: english() ? entry.who_en : entry.who }));
  }

  at(kind, id) {
    if (this.#id === id) return;
    this.#kind = kind;
    this.#id = id;
    this.#say();
  }

  renew() { if (this.#id) this.#say(); }

  hear({ items }) {
    for (const item of items) {
      if (item.here) this.#others.set(item.desk, { ...item, until: performance.now() + item.for_s * 1000 });
      else this.#others.delete(item.desk);
    }
    this.#changed(this.people);
  }

  #forget() {
    const now = performance.now(), before = this.#others.size;
    for (const [desk, entry] of this.#others) if (entry.until < now) this.#others.delete(desk);
    if (this.#others.size !== before) this.#changed(this.people);
  }

  #say() { this.#post(this.#id ? { page: this.#page, kind: this.#kind, id: this.#id } : { page: this.#page, id: null }); }

  #post(data, keepalive = false) { post(this.#config.presence, data, { keepalive }); } // said again in a moment, and forgotten by itself
}
