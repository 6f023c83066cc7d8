// The published criteria of major hazards, offered where one is named. Kept on the phone, so that they are there without a network;
// words of one's own do as well.
import { ask } from "./api.js";
import { make } from "./dom.js";
import * as store from "./store.js";
import { gettext } from "./words.js";

const URL = "/api/v1/criteria/?page_size=1000";
let rows = null;

async function catalogue() {
  const key = `criteria:${document.documentElement.lang}`;
  const { status, body } = await ask("GET", URL);
  if (status !== 200) return (await store.keptAnswer(key))?.rows ?? [];
  await store.keepAnswer({ key, etag: "", rows: body.results });
  return body.results;
}

/** Offer the criteria that fit a class of matters in a list of words. */
export async function offer(list, category) {
  rows ??= catalogue();
  const fitting = (await rows).filter(({ classes }) => !classes.length || !category || classes.includes(category));
  list.replaceChildren(...fitting.map(({ code, name, illustrative }) => make("option", { value: code }, illustrative ? `${name} · ${gettext("illustrative")}` : name)));
}
