// The open line: news by position. What is missed is asked for again from the last position; who is too far behind loads afresh.
const DEAD_AFTER_MS = 28000; // of silence: two heartbeats of 15 s missed, told within 30 s
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 30000;
const SETTLED_MS = 10000; // a line that held so long starts its pauses anew
const FINAL = new Set([4401, 4403]); // not signed in, not your area: trying again changes nothing
const RIGHTS_CHANGED = 4408;

// States told to onState: connecting · filling (done, of) · live · reconnecting (attempt, at) · closed (code, since).
export function connect({ area, after, onFacts, onTally, onHeartbeat, onState, onReset }) {
  let socket = null, position = after, attempt = 0, heardAt = 0, openedAt = 0, retryTimer = null, watchTimer = null, filling = null;

  function open() {
    clearTimeout(retryTimer);
    retryTimer = null;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const mine = new WebSocket(`${scheme}://${location.host}/ws/live/?area=${area}&after=${position}`);
    socket = mine;
    heardAt = performance.now();
    filling = null;
    if (!attempt) onState({ name: 'connecting' });
    mine.addEventListener('open', () => { openedAt = heardAt = performance.now(); });
    mine.addEventListener('message', event => { if (mine === socket) hear(JSON.parse(event.data)); });
    mine.addEventListener('close', event => { if (mine === socket) lost(event.code); });
    clearInterval(watchTimer);
    watchTimer = setInterval(() => { if (performance.now() - heardAt > DEAD_AFTER_MS) drop(); }, 1000);
  }

  function hear(frame) {
    heardAt = performance.now();
    if (frame.type === 'facts') takeFacts(frame);
    else if (frame.type === 'tally') onTally?.(frame);
    else if (frame.type === 'heartbeat') { position = Math.max(position, frame.position); onHeartbeat?.(frame); live(); }
    else if (frame.type === 'reset') { position = frame.position; Promise.resolve(onReset()).then(at => { position = Math.max(position, at ?? 0); }); live(); }
  }

  function takeFacts(frame) {
    const from = position;
    position = Math.max(position, frame.position);
    onFacts(frame.items, frame.position);
    if (frame.of === undefined || frame.position >= frame.of) { live(); return; }
    filling ??= from;
    onState({ name: 'filling', done: frame.position - filling, of: frame.of - filling });
  }

  function live() {
    filling = null;
    onState({ name: 'live' });
  }

  function lost(code) {
    socket = null;
    clearInterval(watchTimer);
    if (code === RIGHTS_CHANGED) { location.reload(); return; } // the server says what may be seen now
    if (FINAL.has(code)) { onState({ name: 'closed', code, since: Date.now() }); return; }
    if (openedAt && performance.now() - openedAt > SETTLED_MS) attempt = 0;
    openedAt = 0;
    attempt += 1;
    const pause = FIRST_PAUSE_MS / 2 + Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    onState({ name: 'reconnecting', attempt, at: Date.now() + pause });
    retryTimer = setTimeout(open, pause);
  }

  // A socket may look open long after its other end has gone: it is left behind, not waited for.
  function drop() {
    const old = socket;
    socket = null;
    old?.close();
    lost(0);
  }

  // Called when the tab wakes or the net is back: try at once, or ask whether the line still lives.
  function check() {
    if (retryTimer) open();
    else if (socket && performance.now() - heardAt > DEAD_AFTER_MS / 2) drop();
  }

  addEventListener('online', check);
  addEventListener('offline', () => { if (socket) drop(); });
  open();
  return { check, get position() { return position; } };
}
