// Keys, full screen, the screen that stays on, and the page that looks after itself.
import { letterSwitch, lettersAct } from '../letters.js';

const SCALES = [100, 125, 150, 200, 250, 300];
const IDLE_MS = 5000, STALL_MS = 60000, HIDDEN_MS = 10000, QUIET_MS = 60000;
const LONGEST_WAIT_MS = 600000; // a city that is never quiet is not left behind for ever

export function listenToKeys({ up, notices }) {
  const help = document.getElementById('help');
  letterSwitch(document.getElementById('keys-on'));
  document.getElementById('help-close').addEventListener('click', () => help.close());
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea')) return;
    if (event.key === '?') { event.preventDefault(); help.open ? help.close() : help.showModal(); return; }
    if (!lettersAct() || document.querySelector('dialog[open]')) return;
    const act = { f: fullScreen, F: fullScreen, Escape: up, n: notices, j: () => step(1), k: () => step(-1), '+': () => rescale(1), '=': () => rescale(1), '-': () => rescale(-1) }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {}); // refused: the page stays as it is
}

function step(by) {
  const rows = [...document.querySelectorAll('.list a.case')];
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus();
}

function rescale(by) {
  const now = SCALES.indexOf(Number(document.documentElement.dataset.scale));
  const next = SCALES[Math.min(SCALES.length - 1, Math.max(0, now + by))];
  const url = new URL(location.href);
  url.searchParams.set('scale', next);
  if (SCALES[now] !== next) location.replace(url);
}

// Unattended screens: no sleep, no cursor.
export function standWatch() {
  const stayAwake = () => document.visibilityState === 'visible' && navigator.wakeLock?.request('screen').catch(() => {}); // without, the screen's own setting holds
  stayAwake();
  document.addEventListener('visibilitychange', stayAwake);
  let timer;
  const moved = () => {
    delete document.documentElement.dataset.idle;
    clearTimeout(timer);
    timer = setTimeout(() => { document.documentElement.dataset.idle = ''; }, IDLE_MS);
  };
  for (const name of ['pointermove', 'pointerdown', 'keydown']) addEventListener(name, moved, { passive: true });
  moved();
}

// A page that has stopped drawing loads itself again; one that slept, or was long out of sight, asks for what it missed.
export function watchdog({ slept }) {
  let frame = performance.now(), beat = Date.now(), hiddenAt = 0;
  const draw = () => { frame = performance.now(); requestAnimationFrame(draw); };
  draw();
  document.addEventListener('visibilitychange', () => {
    frame = performance.now();
    if (document.visibilityState === 'hidden') hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > HIDDEN_MS) slept();
  });
  setInterval(() => {
    const gap = Date.now() - beat;
    beat = Date.now();
    if (gap > STALL_MS) { frame = performance.now(); slept(); return; }
    if (document.visibilityState === 'visible' && performance.now() - frame > STALL_MS) location.reload();
  }, 5000);
}

// A newer version is taken up in a quiet minute: no news, nothing that rings, no one at the keys. The function returned is told of each
// version the server names.
export function renew({ version, lastNews, isBusy }) {
  let touched = 0, waitingSince = 0;
  for (const name of ['pointermove', 'keydown']) addEventListener(name, () => { touched = performance.now(); }, { passive: true });
  setInterval(() => {
    if (!waitingSince || isBusy()) return;
    const now = performance.now();
    if (now - Math.max(touched, lastNews()) > QUIET_MS || now - waitingSince > LONGEST_WAIT_MS) location.reload();
  }, 5000);
  return seen => { if (seen !== version) waitingSince ||= performance.now(); };
}
