// Open cases that may be the one somebody is about to report: offered before filing, never in its way. Offline it is silent.
import { ask } from "./api.js";
import { find, icon, make } from "./dom.js";
import { ago, fill, gettext, metres } from "./words.js";

const REST_MS = 600; // a pin that is being moved is asked for when it rests

/** The box that offers them. `look(matter, place)` is told of each choice; only the answer to the last one is shown. */
export class Near {
  #asked = "";
  #timer = null;

  constructor(box) { this.box = box; }

  look(matter, place) {
    if (!matter || !place) return;
    const query = new URLSearchParams({ matter: matter.code, lon: place.lon.toFixed(5), lat: place.lat.toFixed(5) });
    if (place.accuracy_m) query.set("accuracy_m", Math.round(place.accuracy_m));
    if (query.toString() === this.#asked) return;
    this.#asked = query.toString();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(this.#asked), REST_MS);
  }

  async #ask(query) {
    const { status, body } = await ask("GET", `/api/v1/hazards/near/?${query}`);
    if (query !== this.#asked) return;
    if (status === 0) this.#asked = ""; // no line: asked again with the next change
    this.#show(status === 200 ? body.results : []);
  }

  #show(cases) {
    this.box.hidden = !cases.length;
    if (!cases.length) return;
    find("[data-near-words]", this.box).textContent = cases.length === 1
      ? gettext("One open case near by may be the same") : fill(gettext("%(n)s open cases near by may be the same"), { n: cases.length });
    find("[data-near-list]", this.box).replaceChildren(...cases.map((one) => make(
      "a", { class: "act near-case", href: `/field/cases/${one.id}/`, target: "_blank", rel: "noopener" },
      make("span", {}, make("b", {}, one.matter_name), make("br"),
        make("span", { class: "soft" }, `${metres(one.metres)} · ${ago(one.received_at)} · ${one.number}`)), icon("eye"),
    )));
  }
}
