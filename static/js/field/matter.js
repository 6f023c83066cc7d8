// The catalogue of matters on the phone: kept with its ETag, searched by pinyin initials, Chinese or English.
import { ask } from "./api.js";
import { icon, make } from "./dom.js";
import { search } from "./search.js";
import * as store from "./store.js";
import { fill, gettext } from "./words.js";

const URL = "/api/v1/matters/?page_size=1000";
const MOST_SHOWN = 40;
const KNOWN = new Set("ebike exit extinguisher manhole hose bed bars plug fire gas crane car city school water shop".split(" "));
const english = () => document.documentElement.lang === "en";

/** Return the name of a matter or class in the reader's language. */
export const nameOf = (thing) => (english() && thing.name_en) || thing.name_zh || thing.name || "";

export const classOf = (matter) => (typeof matter.class === "object" ? matter.class : { code: matter.class_code ?? matter.class, name: matter.class_name ?? matter.class });

/** Return the catalogue: at once what is kept, the server's when it has changed. `fresh` hears of a newer one. */
export async function catalogue(fresh) {
  const key = `matters:${document.documentElement.lang}`;
  const kept = await store.keptAnswer(key);
  const renewed = renew(key, kept);
  if (!kept) return (await renewed) ?? [];
  renewed.then((rows) => { if (rows) fresh(rows); });
  return kept.rows;
}

async function renew(key, kept) {
  const { status, body, headers } = await ask("GET", URL, undefined, { headers: kept?.etag ? { "If-None-Match": kept.etag } : {} });
  if (status !== 200) return null;
  const rows = body.results ?? body;
  await store.keepAnswer({ key, etag: headers.get("ETag") ?? "", rows });
  return rows;
}

/** Write a name with what was typed underlined: letters of initials stand for the same number of characters. */
function marked(matter, typed) {
  const name = nameOf(matter);
  const text = typed.trim().toLowerCase();
  const at = name.toLowerCase().indexOf(text);
  if (text && at >= 0) return [name.slice(0, at), make("mark", {}, name.slice(at, at + text.length)), name.slice(at + text.length)];
  if (text && !english() && (matter.pinyin ?? "").toLowerCase().startsWith(text)) return [make("mark", {}, name.slice(0, text.length)), name.slice(text.length)];
  return [name];
}

/** Say a matter's second line: its class and how long its rectification may take. */
export function about(matter) {
  const units = { urgent_hours: gettext("%(n)s urgent hours"), work_hours: gettext("%(n)s working hours"), work_days: gettext("%(n)s working days") };
  const limit = units[matter.rectify_unit] ? fill(gettext("put right within %(limit)s"), { limit: fill(units[matter.rectify_unit], { n: matter.rectify_amount }) }) : "";
  return [nameOf(classOf(matter)), limit].filter(Boolean).join(" · ");
}

const symbol = (name) => `m-${KNOWN.has(name) ? name : "shield"}`;

/** Return the symbol of a matter: its own, else its class's, else the shield. */
export const symbolOf = (matter) => symbol(KNOWN.has(matter.icon) ? matter.icon : classOf(matter).icon);

/** The sheet that lets one matter be chosen. */
export class Sheet {
  constructor(dialog, chosen) {
    this.dialog = dialog;
    this.chosen = chosen;
    this.rows = [];
    this.input = dialog.querySelector("[data-matter-search]");
    this.input.addEventListener("input", () => { this.inClass = null; this.draw(); });
    dialog.querySelector("[data-matter-back]").addEventListener("click", () => { this.inClass = null; this.draw(); this.input.focus(); });
  }

  open() {
    this.inClass = null;
    this.input.value = "";
    this.dialog.showModal();
    this.draw();
    this.input.focus();
  }

  show(rows) {
    this.rows = rows;
    if (this.dialog.open) this.draw();
  }

  draw() {
    const typed = this.input.value;
    let found = search(this.rows, typed);
    let said = "";
    if (this.inClass) {
      found = this.rows.filter((matter) => classOf(matter).code === this.inClass.code);
      said = fill(gettext("%(name)s: %(n)s"), { name: nameOf(this.inClass), n: found.length });
    } else if (typed.trim()) {
      said = found.length ? fill(gettext("“%(typed)s”: %(n)s"), { typed: typed.trim(), n: found.length })
        : fill(gettext("Nothing for “%(typed)s”. Try a class below."), { typed: typed.trim() });
    } else if (!this.rows.length) {
      said = gettext("The list of matters comes with the first connection.");
    }
    this.dialog.querySelector("[data-matter-said]").textContent = said;
    this.dialog.querySelector("[data-matter-back]").hidden = !this.inClass;
    const limit = this.inClass ? Infinity : MOST_SHOWN;
    this.dialog.querySelector("[data-matter-list]").replaceChildren(...found.slice(0, limit).map((matter) => make("li", {},
      make("button", { class: "row row-wide", type: "button", "data-code": matter.code, onclick: () => { this.dialog.close(); this.chosen(matter); } },
        make("span", { class: "tile-icon" }, icon(symbolOf(matter))),
        make("span", { class: "words" }, make("b", {}, ...marked(matter, this.inClass ? "" : typed)), make("br"), make("span", { class: "soft" }, about(matter)))))));
    this.drawClasses();
  }

  drawClasses() {
    const classes = new Map();
    for (const matter of this.rows) {
      const one = classOf(matter);
      const entry = classes.get(one.code) ?? { one, n: 0 };
      entry.n += 1;
      classes.set(one.code, entry);
    }
    const largest = [...classes.values()].sort((a, b) => b.n - a.n);
    this.dialog.querySelector("[data-matter-classes]").replaceChildren(...largest.map(({ one, n }) =>
      make("button", { class: "row", type: "button", onclick: () => {
        this.inClass = one;
        this.input.value = "";
        this.draw();
        this.dialog.querySelector(".sheet").scrollTop = 0;
        this.dialog.querySelector("[data-matter-list] button")?.focus();
      } }, make("span", { class: "tile-icon" }, icon(symbol(one.icon))),
      make("span", { class: "words" }, make("b", {}, nameOf(one)), make("br"), make("span", { class: "soft" }, fill(gettext("%(n)s matters"), { n }))))));
  }
}
