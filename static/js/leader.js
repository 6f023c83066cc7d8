// The leader's screen follows the news: figures change as they do on the wall, and the page says when it is not live.
import { connect } from './live.js';
import { Figures } from './wall/figures.js';
import { ServerClock } from './wall/server-clock.js';
import { Truth } from './wall/truth.js';

const config = JSON.parse(document.getElementById('config').textContent);
const RELOAD_MS = 120_000; // lists and trend are of the page; the figures are of now
const clock = new ServerClock();
clock.learn(config.at);
const figures = new Figures(config.opens_lists);
figures.take(config.figures);
const truth = new Truth(clock, config.as_of, () => location.reload());
const readAt = performance.now();
let changed = false;

connect({
  area: config.area, after: config.position,
  onFacts(items) { if (items.length) changed = true; },
  onTally(frame) { if (frame.area === config.area) { figures.update(frame.figures); truth.confirm(frame.as_of); } },
  onHeartbeat(frame) { clock.learn(frame.at); truth.relay(frame.relay); if (frame.relay !== 'silent') truth.confirm(frame.at); },
  onReset: () => location.reload(),
  onState: state => truth.connection(state),
});

// Lists grow old without moving under a finger: they are read anew when the page is looked at again.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && changed && performance.now() - readAt > RELOAD_MS) location.reload();
});
