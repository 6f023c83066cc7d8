// What a page at a desk asks of the API. One answer: {status, body, request}; status 0: no answer came.
const WAIT_MS = 20_000; // after it nobody knows whether it was done

// The token of the page, not of the cookie: what was written under one name is never sent under another.
const csrf = () => document.querySelector('[name=csrfmiddlewaretoken]').value;

// ``data`` goes as JSON, ``bytes`` as they are, of a media type.
export async function ask(method, address, { data, bytes, type, wait = WAIT_MS, keepalive = false } = {}) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), wait);
  const headers = {
    Accept: 'application/json',
    ...(method === 'GET' ? {} : { 'X-CSRFToken': csrf() }),
    ...(data !== undefined || type ? { 'Content-Type': type ?? 'application/json' } : {}),
  };
  try {
    const answer = await fetch(address, {
      method, headers, keepalive, signal: keepalive ? null : stop.signal, // what may outlive the page must not end with it
      credentials: 'same-origin', cache: 'no-store', body: data === undefined ? bytes : JSON.stringify(data),
    });
    const body = await answer.json().catch(() => null); // a page of a proxy: the status says enough
    return { status: answer.status, body, request: answer.headers.get('X-Request-ID') ?? '' };
  } catch { return { status: 0, body: null, request: '' }; } finally { clearTimeout(timer); }
}

export const post = (address, data, more = {}) => ask('POST', address, { data, ...more });
