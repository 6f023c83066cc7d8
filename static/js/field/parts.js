// Things in the street (components) beside the place of a report: the worker may say which one it is about. Offline none are offered.
import { ask } from "./api.js";
import { find, make } from "./dom.js";
import { fill, gettext, metres } from "./words.js";

const REST_MS = 600; // a pin that is being moved is asked for when it rests
const WITHIN_M = 30;
const MOST = 6;

/** The box that offers them. `chosen` is {code, name} or null; `changed` hears of each choice. */
export class Parts {
  #asked = "";
  #timer = null;

  constructor(box, { changed }) { this.box = box; this.changed = changed; this.chosen = null; }

  look(place) {
    if (!place) return;
    const query = new URLSearchParams({ lon: place.lon.toFixed(6), lat: place.lat.toFixed(6), within_m: WITHIN_M }).toString();
    if (query === this.#asked) return;
    this.#asked = query;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(query), REST_MS);
  }

  /** Show what a kept draft had chosen. */
  restore(chosen) {
    this.chosen = chosen ?? null;
    this.#show(this.chosen ? [this.chosen] : []);
  }

  async #ask(query) {
    const { status, body } = await ask("GET", `/api/v1/grid/components/near/?${query}`);
    if (query !== this.#asked) return;
    if (status === 0) this.#asked = ""; // no line: asked again with the next change, and what was chosen stays
    if (status !== 200) return;
    const found = body.results.slice(0, MOST);
    if (this.chosen && !found.some(({ code }) => code === this.chosen.code)) { // the place moved away from it
      this.chosen = null;
      this.changed();
    }
    this.#show(found);
  }

  #show(found) {
    this.box.hidden = !found.length;
    find("[data-parts-list]", this.box).replaceChildren(...(found.length ? [null, ...found] : []).map((one) => this.#choice(one)));
  }

  #choice(one) {
    const beside = one && [one.metres === undefined ? "" : fill(gettext("%(n)s away"), { n: metres(one.metres) }), one.code].filter(Boolean).join(" · ");
    return make("label", { class: "choice" },
      make("input", {
        type: "radio", name: "component", value: one?.code ?? "", checked: (one?.code ?? "") === (this.chosen?.code ?? ""),
        onchange: () => { this.chosen = one && { code: one.code, name: one.name }; this.changed(); },
      }),
      make("span", { class: "dot", "aria-hidden": "true" }),
      make("span", {}, make("b", {}, one ? one.name : gettext("None of them")), one ? make("br") : null, one ? make("span", { class: "soft" }, beside) : null));
  }
}
