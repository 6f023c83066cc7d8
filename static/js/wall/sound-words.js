// The state of the sound in words: in the strip, as a banner while the browser stops it, and its settings in the help.
import { clock as clockWords, el, say, sign, t } from '../words.js';

const SIGNS = { on: 'sound', off: 'still', muted: 'still', blocked: 'warn', missing: 'warn' };
const minutes = when => clockWords(when).slice(0, 5);

export function showSound(sounds, clock) {
  const strip = document.getElementById('sound'), help = document.getElementById('help'), banner = document.getElementById('sound-blocked');
  const volume = document.getElementById('sound-volume'), wanted = document.getElementById('sound-wanted'), unmute = document.getElementById('sound-unmute');
  strip.addEventListener('click', () => { help.showModal(); document.getElementById('sound-test').focus(); });
  banner.querySelector('button').addEventListener('click', () => sounds.allow());
  document.getElementById('sound-test').addEventListener('click', () => sounds.test());
  unmute.addEventListener('click', () => sounds.unmute());
  for (const button of document.querySelectorAll('[data-mute]')) button.addEventListener('click', () => sounds.mute(Number(button.dataset.mute)));
  volume.value = Math.round(sounds.volume * 100);
  volume.addEventListener('change', () => { sounds.volume = volume.value / 100; sounds.test(); });
  wanted?.addEventListener('change', () => { sounds.isWanted = wanted.checked; });

  return function draw() {
    const { state } = sounds, until = state === 'muted' ? clock.now() + (sounds.mutedUntil - Date.now()) : null;
    const words = {
      on: t('Sound on'), off: t('Sound off'), blocked: t('Sound blocked'), missing: t('No sound here'),
      muted: until && say('Muted until %(time)s', { time: minutes(until) }),
    }[state];
    if (strip.dataset.words !== words) {
      strip.dataset.words = words;
      strip.dataset.state = state;
      strip.replaceChildren(sign(SIGNS[state]), el('span', {}, words));
      document.getElementById('sound-state').textContent = words;
    }
    banner.hidden = state !== 'blocked';
    unmute.hidden = state !== 'muted';
    if (wanted) wanted.checked = sounds.isWanted;
    for (const row of document.querySelectorAll('.mutes')) row.hidden = state === 'off';
  };
}
