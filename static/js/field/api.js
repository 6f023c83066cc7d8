// Talking to the server. One answer shape: {status, body}; status 0 = no answer came.

const me = document.documentElement.dataset;

/** Who is signed in, as this page was made for; every kept record carries it. */
export const user = me.user ?? "";

// The token of the page, not of the cookie: a sign-in as somebody else makes a new one, so that what this page
// still holds can never be sent under the other name.
let csrf = me.csrf ?? "";
let offset = 0; // ms to add to the phone's clock

/** The server's time as far as the phone can tell. */
export const serverNow = () => new Date(Date.now() + offset);

const WAIT_MS = 20_000;

export async function ask(method, url, body, { headers = {}, wait = WAIT_MS, keepalive = false } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), wait);
  try {
    const answer = await fetch(url, {
      method, keepalive, signal: stop.signal, credentials: "same-origin", cache: "no-store",
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" ? {} : { "X-CSRFToken": csrf }), ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: parsed(text), headers: answer.headers };
  } catch {
    return { status: 0, body: null };
  } finally {
    clearTimeout(timer);
  }
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}

/** Put a photo's bytes; progress goes from 0 to 1. */
export function put(url, buffer, type, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrf);
    request.timeout = 120_000;
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    request.addEventListener("load", () => resolve({ status: request.status, body: parsed(request.responseText) }));
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => resolve({ status: 0, body: null }));
    request.send(buffer);
  });
}

/** Ask whether the server is there and still knows us: "here", "offline", "signed-out" or "other". */
export async function present() {
  const asked = Date.now();
  const { status, body } = await ask("GET", "/field/ping/", undefined, { wait: 8000 });
  if (status === 401) return "signed-out";
  if (status !== 200 || !body) return "offline";
  if (body.user !== user) return "other";
  csrf = body.csrf;
  const travelled = Date.now() - asked;
  if (travelled < 4000) offset = new Date(body.at).getTime() + travelled / 2 - Date.now();
  return "here";
}

/** Read the complaints of an error answer: [{field, words}], the words as the server says them. */
export function complaints(body) {
  return (body?.errors ?? []).map((error) => ({ field: error.attr ?? "", words: error.detail ?? "", code: error.code ?? "" }));
}
