// A list under the pointer or with the focus stands still and says how many are new: no row moves away under a finger.
import { el, number, say } from './words.js';

export class StillList {
  #list; #more; #row; #empty; #keyOf; #onStill; #nodes = new Map(); #next = []; #still = false;

  // ``row`` draws an item, ``empty`` says why there is none, ``keyOf`` changes with what a row shows. ``onStill`` is told
  // whether the list stands still and how many rows are new.
  constructor(panel, { row, empty, keyOf, onStill = () => {} }) {
    this.#list = panel.querySelector('ol');
    this.#more = panel.querySelector('.more');
    this.#row = row;
    this.#empty = empty;
    this.#keyOf = keyOf;
    this.#onStill = onStill;
    for (const begin of ['pointerenter', 'focusin']) this.#list.addEventListener(begin, () => { if (!this.#still) { this.#still = true; this.#onStill(true, 0); } });
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
    const now = new Map([...this.#list.children].map(node => [node.dataset.id, node.dataset.key]));
    const news = items.filter(item => now.get(item.id) !== this.#keyOf(item)).length;
    this.#more.hidden = !news;
    this.#more.textContent = say('%(n)s new ▲', { n: number(news) });
    this.#onStill(true, news);
  }

  get isStill() { return this.#still; }

  // Show what came meanwhile, though the pointer or the focus is still there.
  release() {
    this.#still = false;
    this.#draw();
  }

  #release() {
    if (this.#list.matches(':hover') || this.#list.contains(document.activeElement)) return;
    this.release();
  }

  #draw() {
    this.#more.hidden = true;
    this.#onStill(false, 0);
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
