// Elements without templates and without inline styles.

/** Make an element: make("p", {class: "soft"}, "words", child). Null children are left out; "on…" keys listen. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Draw a symbol of the page's sprite; an unknown one falls back to a shield. */
export function icon(name, className = "icon") {
  const known = document.getElementById(name.startsWith("s-") ? name : `i-${name}`);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${known ? known.id : "i-m-shield"}`);
  svg.append(use);
  return svg;
}

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Read a JSON block the server wrote with json_script. */
export function told(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : null;
}

/** Say something once to a screen reader, without moving the focus. */
export function announce(words) {
  const region = document.getElementById("spoken");
  if (region && region.textContent !== words) region.textContent = words;
}
