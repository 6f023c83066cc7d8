// What every page of the phone does: theme, the badge of what is kept, the note about the connection, sending.
import { user } from "./api.js";
import { announce, find, findAll, icon, make } from "./dom.js";
import * as sender from "./sender.js";
import * as store from "./store.js";
import { fill, gettext } from "./words.js";

const DAY_MS = 86_400_000;

function theme() {
  const form = find("[data-theme-form]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const html = document.documentElement;
    const button = find("button", form);
    const body = new FormData(form);
    body.set("theme", button.value);
    html.dataset.theme = button.value;
    button.value = button.value === "dark" ? "light" : "dark";
    find("meta[name=theme-color]").content = html.dataset.theme === "dark" ? "#0b1220" : "#eff0ec";
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {}); // offline: kept for this page only
  });
}

let lastSaid = "";

async function badge() {
  const rows = (await store.records(user)).filter(sender.unsent);
  const count = find("[data-queue-count]");
  if (count) {
    count.textContent = rows.length;
    find("[data-queue-badge]").setAttribute("aria-label", fill(gettext("Queue, not delivered: %(n)s"), { n: rows.length }));
  }
  navigator.setAppBadge?.(rows.length).catch(() => {});
  note(rows);
}

/** One grey line under the bar; offline is weather, not a fault. */
async function note(rows) {
  const place = find("[data-note]");
  if (!place) return;
  const connection = sender.connectionNow();
  const old = rows.filter(({ state, createdAt }) => state !== "draft" && Date.now() - createdAt > DAY_MS).length;
  let parts = null;
  if (connection === "signed-out") {
    parts = ["lock", gettext("The sign-in has ended."), gettext("Sign in once, sending goes on. Nothing is lost."),
      make("a", { class: "act", href: `/login/?next=${encodeURIComponent(location.pathname + location.search)}` }, gettext("Sign in"))];
  } else if (connection === "other") {
    parts = ["person", gettext("Somebody else has signed in on this phone."), gettext("What you wrote stays kept under your name and is not sent under theirs."),
      make("a", { class: "act", href: "/field/" }, gettext("Reload"))];
  } else if (connection === "offline") {
    parts = ["offline", fill(gettext("Offline, kept: %(n)s"), { n: rows.length }), gettext("Sent by itself when the net is back")];
  } else if (!(await store.isLasting())) {
    parts = ["info", gettext("This browser keeps nothing."), gettext("Drafts are lost when the page closes: send before you leave.")];
  } else if (old) {
    parts = ["clock", fill(gettext("Not delivered for more than a day: %(n)s"), { n: old }), gettext("See the queue")];
  }
  place.hidden = !parts;
  if (!parts) { place.replaceChildren(); lastSaid = ""; return; }
  const [symbol, head, more, act] = parts;
  if (lastSaid === head) return;
  lastSaid = head;
  place.replaceChildren(icon(symbol), make("p", {}, make("b", {}, head), ` · ${more}`), ...(act ? [act] : []));
}

const seen = new Map();

/** Say a change of state once to those who listen. */
async function speak() {
  const words = { delivered: gettext("Delivered"), failed: gettext("Failed"), fix: gettext("To correct"), conflict: gettext("Conflict") };
  for (const row of await store.records(user)) {
    if (seen.has(row.id) && seen.get(row.id) !== row.state && words[row.state]) announce(`${words[row.state]}: ${row.title ?? ""}`);
    seen.set(row.id, row.state);
  }
}

function dialogs() {
  for (const dialog of findAll("dialog")) {
    for (const button of findAll("[data-close]", dialog)) button.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }
}

/** The browser's own way back shows a page as it was left, from its memory; a case may have moved on since. */
function refreshOnReturn() {
  addEventListener("pageshow", ({ persisted }) => {
    const cameBack = persisted || performance.getEntriesByType("navigation")[0]?.type === "back_forward";
    if (cameBack && navigator.onLine && !find("#report, #step")) location.reload();
  });
}

theme();
dialogs();
refreshOnReturn();
store.onChange(badge);
store.onChange(speak);
sender.watch(badge);
badge();
speak();
sender.start();
store.tidy(user);
