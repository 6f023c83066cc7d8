// "Which side are you on?": the cells that the accuracy circle touches, and who is responsible for each.
import { find, icon, make } from "./dom.js";
import { fill, gettext } from "./words.js";

const nameOf = (cell) => cell.name || (document.documentElement.lang === "en" && cell.name_en) || cell.name_zh || cell.code;

function who(cell) {
  if (cell.mine) return gettext("yours");
  const name = typeof cell.responsible === "object" ? cell.responsible?.name : cell.responsible;
  return name ? fill(gettext("%(name)s is responsible"), { name }) : gettext("nobody is posted there");
}

const line = (cell) => make("p", { class: "cell-line" }, icon("pin"), make("span", {}, make("b", {}, nameOf(cell)), ` · ${who(cell)}`));

/** Draw the cells it lies in, or the chooser between several. `chosen` hears the code of the cell the worker names. */
export function drawCells(place, answer, named, chosen) {
  const { candidates = [], dedicated } = answer;
  const several = candidates.length > 1;
  const heading = find("[data-place-name]", place.parentElement);
  if (heading) heading.textContent = several ? gettext("Place: which side are you on?") : gettext("Place");
  const lines = [dedicated, several ? null : answer.cell ?? candidates[0]].filter(Boolean).map(line);
  if (!several) {
    place.replaceChildren(...(lines.length ? lines : [make("p", { class: "soft" }, gettext("No cell here: the city's office will place it."))]));
    return;
  }
  const first = named ?? candidates[0].code;
  place.replaceChildren(...lines, make("fieldset", { class: "field-block" },
    make("legend", { class: "only-spoken" }, gettext("The circle touches several cells. Which side are you on?")),
    make("div", { class: "choices" }, ...candidates.map((cell) => make("label", { class: "choice" },
      make("input", { type: "radio", name: "cell", value: cell.code, checked: cell.code === first, onchange: () => chosen(cell.code) }),
      make("span", { class: "dot", "aria-hidden": "true" }),
      make("span", {}, make("b", {}, nameOf(cell)), make("br"), who(cell)))))));
}
