// Home and lists: the shell, and a word before signing out with unsent work on the phone.
import "./shell.js";
import { user } from "./api.js";
import { find } from "./dom.js";
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
