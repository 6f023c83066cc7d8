// What a screen may be heard to say, and whether the browser lets it: two notes for what waits, one soft note for what
// is late. Below 1 kHz. A mute belongs to this screen and ends by itself.
import { newId } from '../field/ids.js';

const MUTED_UNTIL = 'wall.muted-until', MUTE_ID = 'wall.mute', VOLUME = 'wall.volume', WANTED = 'wall.sound';
const PATTERNS = { // [frequency Hz, begins s, lasts s, loudness]
  waiting: [[660, 0, .22, 1], [880, .3, .34, 1]],
  late: [[440, 0, .6, .35]],
};

export class Sounds {
  #mustHear; #changed; #log; #context = null; #timer = null;

  // ``mustHear``: this account's screens sound; others do when they are asked to, in the help.
  // ``log``: writes down on the server that a mute began (id, minutes) or was ended (id).
  constructor({ mustHear, onChange, log }) {
    this.#mustHear = mustHear;
    this.#log = log;
    this.#changed = onChange;
    for (const name of ['pointerdown', 'keydown']) addEventListener(name, () => this.#isBlocked() && this.allow(), { passive: true });
  }

  begin() { this.#begin(); }

  get isWanted() { return this.#mustHear || localStorage.getItem(WANTED) === 'on'; }
  set isWanted(on) {
    localStorage.setItem(WANTED, on ? 'on' : 'off');
    this.#begin();
  }

  get volume() { return Number(localStorage.getItem(VOLUME) ?? .7); }
  set volume(value) { localStorage.setItem(VOLUME, value); }

  get mutedUntil() {
    const until = Number(localStorage.getItem(MUTED_UNTIL));
    return until > Date.now() ? until : null;
  }

  // off · missing (no Web Audio) · blocked (by the browser, until somebody touches the page) · muted · on
  get state() {
    if (!this.isWanted) return 'off';
    if (!this.#context) return 'missing';
    if (this.#isBlocked()) return 'blocked';
    return this.mutedUntil ? 'muted' : 'on';
  }

  mute(minutes) {
    if (this.mutedUntil) this.unmute();
    const id = newId();
    localStorage.setItem(MUTED_UNTIL, Date.now() + minutes * 60000);
    localStorage.setItem(MUTE_ID, id);
    this.#log.begun(id, minutes);
    this.#begin();
  }

  unmute() {
    localStorage.removeItem(MUTED_UNTIL);
    this.#log.ended(localStorage.getItem(MUTE_ID));
    this.#begin();
  }

  // Ask the browser; it says yes only after a hand has touched the page, or by its own setting.
  async allow() {
    await this.#context?.resume().catch(() => {}); // still blocked: the state says so
    this.#changed();
  }

  // The same note that would sound, however the screen is muted; who tests wants to hear it.
  async test() {
    this.#open();
    await this.allow();
    this.#notes(PATTERNS.waiting);
  }

  play(name) { if (this.state === 'on') this.#notes(PATTERNS[name]); }

  #begin() {
    if (this.isWanted) this.#open();
    clearTimeout(this.#timer);
    const until = this.mutedUntil;
    if (until) this.#timer = setTimeout(() => this.#begin(), until - Date.now() + 50);
    this.#changed();
  }

  #open() {
    if (this.#context || !window.AudioContext) return;
    this.#context = new AudioContext();
    this.#context.addEventListener('statechange', () => this.#changed());
  }

  #isBlocked() { return Boolean(this.#context) && this.#context.state !== 'running'; }

  #notes(notes) {
    const context = this.#context;
    if (context?.state !== 'running') return;
    for (const [frequency, begins, lasts, loudness] of notes) {
      const at = context.currentTime + .02 + begins, tone = context.createOscillator(), gain = context.createGain();
      tone.frequency.value = frequency;
      gain.gain.setValueAtTime(0, at); // swells and fades, so that it does not click
      gain.gain.linearRampToValueAtTime(this.volume * loudness * .5, at + .02);
      gain.gain.setTargetAtTime(0, at + lasts * .6, lasts / 6);
      tone.connect(gain).connect(context.destination);
      tone.start(at);
      tone.stop(at + lasts + .2);
    }
  }
}
