// A form's complaints: a summary on top that takes the focus, the same words beside each field, "Error:" in the title.
import { find, findAll, icon, make } from "./dom.js";
import { fill, gettext, moment } from "./words.js";

const title = document.title;

/** Test whether complaints stand on the page. */
export const complaining = (form) => !find("[data-summary]", form).hidden;

/** Show complaints [{id: the field's block, words}]; an empty list clears them. Quietly: without moving the focus. */
export function complain(form, errors, { quietly = false } = {}) {
  const summary = find("[data-summary]", form);
  for (const place of findAll("[data-error]", form)) {
    const said = errors.filter(({ id }) => id === place.dataset.error).map(({ words }) => words);
    place.hidden = !said.length;
    place.replaceChildren(...(said.length ? [icon("warn"), make("span", {}, said.join(" "))] : []));
    place.id ||= `error-${place.dataset.error}`;
    const block = place.closest(".field-block");
    block.classList.toggle("in-error", said.length > 0);
    for (const box of findAll("textarea, input:not([type=file]), select, [data-matter-open]", block)) {
      if (box.closest(".field-block") !== block) continue;
      if (said.length) { box.setAttribute("aria-invalid", "true"); box.setAttribute("aria-describedby", place.id); }
      else { box.removeAttribute("aria-invalid"); box.removeAttribute("aria-describedby"); }
    }
  }
  summary.hidden = !errors.length;
  document.title = errors.length ? fill(gettext("Error: %(title)s"), { title }) : title;
  if (!errors.length) return;
  find("[data-summary-name]", summary).textContent = fill(gettext("To put right before it can be sent: %(n)s"), { n: errors.length });
  find("[data-summary-list]", summary).replaceChildren(...errors.map(({ id, words }) => make("a", {
    href: `#${id}`, onclick: (event) => { event.preventDefault(); goTo(id); },
  }, icon("next"), words)));
  if (quietly) return;
  summary.focus({ preventScroll: true });
  summary.scrollIntoView({ block: "start" });
}

function goTo(id) {
  const block = document.getElementById(id);
  block?.scrollIntoView({ block: "center" });
  find("textarea, input:not([hidden]), select, button", block)?.focus({ preventScroll: true });
}

/** Say in the bar when the draft was kept last. */
export function sayKept() {
  const place = find("[data-kept]");
  const words = fill(gettext("Draft kept %(when)s"), { when: moment(Date.now()) });
  if (place && place.textContent !== words) place.textContent = words;
}

const SAVE_MS = 800;

/** Return a function that saves soon after a change, and at once when the page is left. */
export function saver(save) {
  let timer = null;
  const now = () => { clearTimeout(timer); timer = null; return save(); };
  document.addEventListener("visibilitychange", () => { if (document.hidden && timer) now(); });
  addEventListener("pagehide", () => { if (timer) now(); });
  return { soon: () => { timer ??= setTimeout(now, SAVE_MS); }, now };
}
