// A list under the pointer or with the focus stands still and says how many are new: no row moves away under a finger.
import { el, number, say } from './words.js';

export class StillList {
  #list; #more; #row; #empty; #keyOf; #inPlace; #onStill; #nodes = new Map(); #next = []; #still = false;

  // ``row`` draws an item, ``empty`` says why there is none, ``keyOf`` changes with what a row shows. ``inPlace``: a row
  // whose words changed is written anew where it stands, and only rows that are not there yet count as new. ``onStill`` is
  // told whether the list stands still.
  constructor(panel, { row, empty, keyOf, inPlace = false, onStill = () => {} }) {
    this.#list = panel.querySelector('ol');
    this.#more = panel.querySelector('.more');
    this.#row = row;
    this.#empty = empty;
    this.#keyOf = keyOf;
    this.#inPlace = inPlace;
    this.#onStill = onStill;
    for (const begin of ['pointerenter', 'focusin']) this.#list.addEventListener(begin, () => { if (!this.#still) { this.#still = true; this.#onStill(true); } });
    for (const end of ['pointerleave', 'focusout']) this.#list.addEventListener(end, () => setTimeout(() => this.#release(), 0));
    this.#more.addEventListener('click', () => this.release());
  }

  // Whole rows only, which share the height; on an ordinary page, eight.
  room() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const row = parseFloat(getComputedStyle(this.#list).getPropertyValue('--row')) * rem;
    const rows = document.documentElement.dataset.fit === 'page' ? 8 : Math.max(1, Math.floor(this.#list.clientHeight / row + .05));
    this.#list.style.setProperty('--rows', rows);
    return rows;
  }

  show(items) {
    this.#next = items;
    if (!this.#still) { this.#draw(); return; }
    if (this.#inPlace) this.#rewrite(items);
    const now = new Map([...this.#list.children].map(node => [node.dataset.id, node.dataset.key]));
    const news = items.filter(item => (this.#inPlace ? !now.has(item.id) : now.get(item.id) !== this.#keyOf(item))).length;
    this.#more.hidden = !news;
    this.#more.textContent = say('%(n)s new ▲', { n: number(news) });
  }

  get isStill() { return this.#still; }

  // Show what came meanwhile, though the pointer or the focus is still there.
  release() {
    this.#still = false;
    this.#draw();
  }

  #rewrite(items) {
    for (const item of items) {
      const node = this.#nodes.get(item.id), key = this.#keyOf(item);
      if (!node || node.dataset.key === key) continue;
      node.replaceChildren(...this.#row(item).childNodes);
      node.dataset.key = key;
    }
  }

  #release() {
    if (this.#list.matches(':hover') || this.#list.contains(document.activeElement)) return;
    this.release();
  }

  #draw() {
    this.#more.hidden = true;
    this.#onStill(false);
    if (!this.#next.length) {
      this.#nodes.clear();
      this.#list.replaceChildren(el('li', { class: 'empty', 'data-key': 'empty' }, this.#empty()));
      return;
    }
    const nodes = new Map();
    for (const item of this.#next) {
      const key = this.#keyOf(item), old = this.#nodes.get(item.id);
      const node = old?.dataset.key === key ? old : this.#row(item);
      node.dataset.key = key;
      nodes.set(item.id, node);
    }
    const wanted = [...nodes.values()], now = [...this.#list.children];
    if (wanted.length !== now.length || wanted.some((node, i) => node !== now[i])) this.#list.replaceChildren(...wanted);
    this.#nodes = nodes;
  }
}
