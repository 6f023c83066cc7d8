// The open line: news by position. What is missed is asked for again from the last position; who is too far behind loads afresh.
const DEAD_AFTER_MS = 28000; // of silence: two heartbeats of 15 s missed, told within 30 s
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 30000;
const SETTLED_MS = 10000; // a line that held so long starts its pauses anew
const NOT_YOUR_AREA = 4403; // trying again changes nothing
const ASK_THE_SERVER = new Set([4401, 4408]); // not signed in any more, other rights: the page itself says what may be seen now

// onFacts(items, position, missed): ``missed`` are those of the time before this line.
// States told to onState: connecting · filling (done, of) · live · reconnecting (attempt, at) · closed (code, since).
// ``presence``: the id of a console's page, which hears who is at which case.
export function connect({ area, after, presence = '', onFacts, onTally, onHeartbeat, onState, onReset, onPresence }) {
  let socket = null, position = after, attempt = 0, heardAt = 0, openedAt = 0, retryTimer = null, watchTimer = null, filling = null;

  function open() {
    clearTimeout(retryTimer);
    retryTimer = null;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const mine = new WebSocket(`${scheme}://${location.host}/ws/live/?area=${area}&after=${position}${presence ? `&presence=${presence}` : ''}`);
    socket = mine;
    heardAt = performance.now();
    filling = null;
    onState(attempt ? { name: 'reconnecting', attempt } : { name: 'connecting' });
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
    else if (frame.type === 'presence') onPresence?.(frame);
    else if (frame.type === 'reset') { position = frame.position; onReset(position); live(); }
  }

  function takeFacts(frame) {
    const from = position;
    position = Math.max(position, frame.position);
    onFacts(frame.items, frame.position, frame.of !== undefined);
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
    if (ASK_THE_SERVER.has(code)) { location.reload(); return; }
    if (code === NOT_YOUR_AREA) { onState({ name: 'closed', since: Date.now() }); return; }
    if (openedAt && performance.now() - openedAt > SETTLED_MS) attempt = 0;
    openedAt = 0;
    attempt += 1;
    const pause = FIRST_PAUSE_MS / 2 + Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    onState({ name: 'reconnecting', attempt, at: Date.now() + pause });
    retryTimer = setTimeout(open, pause);
  }

  // A socket may look open long after its other end has gone: it is left behind, not waited for.
  function leave() {
    const old = socket;
    socket = null;
    clearInterval(watchTimer);
    old?.close();
  }

  function drop() {
    leave();
    lost(0);
  }

  // The page woke, or the net is back. A machine that slept heard nothing and cannot tell for how long, so the line is
  // opened anew from the last position: what was missed comes first.
  function renew() {
    if (!socket && !retryTimer) return; // refused for good
    leave();
    open();
  }

  addEventListener('online', renew);
  addEventListener('offline', () => { if (socket) drop(); });
  open();
  return { renew };
}
