// Is what the wall shows true now? In words and shape in the strip, in a banner, and on every panel.
import { clock, el, moment, say, sign, span, t } from '../words.js';
import { showAsOf } from './figures.js';
import { OFF_BY_MS } from './server-clock.js';

const STALE_AFTER_MS = 30000; // of silence, though the socket looks open (two heartbeats)
const BANNER_AFTER_MS = 8000; // of a loss that is known; a blink of the network is none

export class Truth {
  #clock; #lost = 0; #heard = 0; #confirmed; #state = { name: 'connecting' }; #lookFailed = null; #retry; #relay = 'ok'; #idle = 0;

  constructor(serverClock, asOf, retry) {
    this.#clock = serverClock;
    this.#confirmed = Date.parse(asOf);
    this.#heard = performance.now();
    this.#retry = retry;
    setInterval(() => this.draw(), 1000);
    this.draw();
  }

  // The server vouches: what is shown holds as of this time.
  confirm(iso) {
    const when = Date.parse(iso);
    this.#heard = performance.now();
    if (when > this.#confirmed) this.#confirmed = when;
    this.draw();
  }

  // Names: connecting, live, filling (done, of), reconnecting (attempt, at), closed (since).
  connection(state) {
    const wasLost = this.#isLost();
    this.#state = state;
    if (state.name === 'live' || state.name === 'filling') this.#heard = performance.now();
    if (this.#isLost() && !wasLost) this.#lost = performance.now();
    if (!this.#isLost()) this.#lost = 0;
    this.draw();
  }

  // What the server says of its own line to the news: ok, slow (read from the database), silent (none).
  relay(word) { this.#relay = word; this.draw(); }
  // Since when beat and workers are silent; null where they are not.
  idle(iso) { this.#idle = iso ? Date.parse(iso) : 0; this.draw(); }
  lookFailed(error) { this.#lookFailed = error; this.draw(); }

  get isLive() { return this.#state.name === 'live' && !this.isStale; }
  get isStale() {
    const silent = performance.now() - this.#heard > STALE_AFTER_MS;
    return silent || this.#relay === 'silent' || (this.#lost > 0 && performance.now() - this.#lost > BANNER_AFTER_MS);
  }

  draw() {
    const now = this.#clock.now(), stale = this.isStale;
    document.documentElement.dataset.truth = stale ? 'stale' : this.#relay === 'slow' ? 'slow' : this.#state.name;
    for (const panel of document.querySelectorAll('.panel')) panel.classList.toggle('is-stale', stale);
    showAsOf(this.#confirmed, stale ? say('data as of %(time)s (%(span)s ago)', { time: clock(this.#confirmed), span: span(now - this.#confirmed) }) : null);
    this.#drawConnection(now, stale);
    this.#drawBanner(now, stale);
  }

  #isLost() { return ['reconnecting', 'closed'].includes(this.#state.name); }

  #drawConnection(now, stale) {
    const place = document.getElementById('connection');
    const [picture, words, note] = this.#words(now, stale);
    const key = `${picture}|${words}|${note}`;
    place.dataset.state = stale && this.#state.name === 'live' ? 'silent' : this.#state.name;
    if (this.#clock.isOff) place.dataset.clock = 'off'; else delete place.dataset.clock;
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    place.replaceChildren(sign(picture), el('span', {}, words), note ? el('small', {}, note) : '');
  }

  #words(now, stale) {
    const { name, attempt, at, since, done, of } = this.#state;
    if (name === 'live' && this.#relay === 'silent') return ['warn', t('No news'), t('the server hears nothing')];
    if (name === 'live' && stale) return ['cut', t('Silent'), say('since %(time)s', { time: clock(this.#confirmed) })];
    if (name === 'live' && this.#relay === 'slow') return ['warn', t('Live, slowly'), ''];
    if (name === 'live') return ['live', t('Live'), this.#clock.isOff ? say('this screen’s clock is off by %(n)s s', { n: Math.round(Math.abs(this.#clock.offset) / 1000) }) : ''];
    if (name === 'filling') return ['fill', t('Catching up'), of ? say('%(k)s of %(n)s', { k: done ?? 0, n: of }) : ''];
    if (name === 'reconnecting') {
      const next = at ? Math.max(0, Math.ceil((at - Date.now()) / 1000)) : null;
      return ['retry', t('Reconnecting'), next === null ? say('attempt %(n)s', { n: attempt ?? 1 }) : say('attempt %(n)s, next in %(s)s s', { n: attempt ?? 1, s: next })];
    }
    if (name === 'closed') return ['cut', t('Cut off'), say('since %(time)s', { time: clock(since ?? this.#confirmed) })];
    return ['retry', t('Connecting'), ''];
  }

  #drawBanner(now, stale) {
    const banner = document.getElementById('banner');
    const failed = this.#lookFailed;
    const words = failed
      ? say('The data could not be read (%(code)s). What is shown is as of %(time)s.', { code: failed.code || t('no connection'), time: clock(this.#confirmed) })
      : stale ? say('Not live: what is shown is as of %(time)s.', { time: clock(this.#confirmed) })
        : this.#idle ? say('No periodic work since %(time)s (%(span)s ago): what runs out is not marked, and nobody is told of it. Tell who runs the servers.', { time: moment(this.#idle, now), span: span(now - this.#idle) })
        : this.#relay === 'slow' ? t('A server for messages is down. News is read from the database every second instead; nothing is lost.')
          : this.#clock.isOff ? say('The clock of this screen is off by more than %(n)s s. Times shown are the server’s.', { n: OFF_BY_MS / 1000 }) : '';
    banner.hidden = !words;
    if (banner.dataset.words === words) return;
    banner.dataset.words = words;
    banner.replaceChildren(words, failed || stale ? el('button', { type: 'button', class: 'button' }, t('Try again')) : '');
    banner.querySelector('button')?.addEventListener('click', () => this.#retry());
  }
}

// One panel's own trouble: its code and a way to try again; the others live on.
export function trouble(id, error, retry) {
  const panel = document.getElementById(id);
  settle(id);
  const words = error.code === undefined ? error.message : say('Could not be read (%(code)s)', { code: error.code || t('no connection') });
  const bar = el('p', { class: 'trouble', role: 'alert' }, sign('warn'), words);
  if (retry) {
    const button = el('button', { type: 'button', class: 'button' }, t('Try again'));
    button.addEventListener('click', () => { settle(id); retry(); });
    bar.append(button);
  }
  panel.append(bar);
}

export function settle(id) { document.querySelector(`#${id} .trouble`)?.remove(); }
