// Home and lists: the shell, messages that are read when they are opened, and a word before signing out with unsent work.
import "./shell.js";
import { ask, user } from "./api.js";
import { find, findAll } from "./dom.js";
import { unsent } from "./sender.js";
import * as store from "./store.js";
import { fill, gettext } from "./words.js";

find("[data-logout]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const rows = await store.records(user);
  const kept = rows.filter(unsent).length;
  if (kept && !confirm(fill(gettext("%(n)s not delivered. They stay on this phone under your name until you sign in again. Sign out?"), { n: kept }))) return;
  if (!kept) for (const row of rows) await store.drop(row.id);
  form.submit();
});

for (const link of findAll("[data-notice]")) {
  link.addEventListener("click", () => { ask("POST", `/api/v1/notices/${link.dataset.notice}/read/`, undefined, { keepalive: true }); });
}
