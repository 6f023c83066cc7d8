// The wall: one state, drawn anew from a fresh look, kept by the news. After any gap both ways lead to the same page.
import { post } from '../ask.js';
import { connect } from '../live.js';
import { NoMap, createMap } from '../map.js';
import { date, dayOf, clock as clockWords, el, number, say, t } from '../words.js';
import { Alarms } from './alarms.js';
import { Feed, between, read } from './feed.js';
import { Figures } from './figures.js';
import { Lists } from './lists.js';
import { listenToNotices } from './notices.js';
import { OpenHazards } from './open-hazards.js';
import { ServerClock } from './server-clock.js';
import { showSound } from './sound-words.js';
import { Sounds } from './sounds.js';
import { drawKinds, drawParts } from './tables.js';
import { drawTrend } from './trend.js';
import { Truth, settle, trouble } from './truth.js';
import { listenToKeys, renew, standWatch, watchdog } from './view.js';

const json = id => JSON.parse(document.getElementById(id).textContent);
const config = json('config');
let look = json('look');
let position = look.position;
let wasLive = false, heardAt = 0, tally = null, again = null;
let map = null, cells = {}, cellsAt = 0;
const news = []; // of hazards, for looks that are older than what the page has heard
const MOST_NEWS = 2000, RETRY_MS = [5000, 15000], DAY_MS = [0, 3000], LOOK_MS = 300000; // never all screens at once

const clock = new ServerClock();
clock.learn(look.at);
const figures = new Figures(config.opens_lists);
const truth = new Truth(clock, look.at, () => reload());
const lists = new Lists({ config, clock, onChange: drawPoints });
const open = new OpenHazards(config.stages, () => { drawPoints(); alarms.changed(); tellWaiting(); });
const mutes = `${config.mutes}?area=${config.area}`;
const sounds = new Sounds({
  mustHear: config.must_hear, onChange: () => drawSound(),
  log: { begun: (id, minutes) => post(mutes, { id, minutes }), ended: id => post(`${config.mutes}${id}/end/`) },
});
const drawSound = showSound(sounds, clock, () => read(mutes));
const alarms = new Alarms({ sounds, clock, open, page: pageOf });
const feed = new Feed(config, {
  look: fresh => { takeLook(fresh); settle('trend'); },
  burden: state => { takeBurden(state); settle('where'); },
  items: rows => { lists.learn(rows); alarms.learn(rows); settle('live'); },
  trouble: (id, error) => trouble(id, error, () => feed.tables()),
});

// A whole look, and on top of it the news that is newer: the page is what a fresh one would be.
function takeLook(fresh) {
  look = fresh;
  clock.learn(fresh.at);
  truth.confirm(fresh.at);
  figures.take(fresh.figures);
  if (tally?.position > fresh.position) figures.update(tally.figures);
  feed.want(lists.take(fresh, news.filter(item => item.position > fresh.position)));
  drawTables();
  if (fresh.position < position) feed.changed(position);
  position = Math.max(position, fresh.position);
}

function takeBurden(state) {
  cells = Object.fromEntries(Object.entries(state.cells).map(([code, pair]) => [code, [...pair]]));
  cellsAt = state.position;
  weigh(news);
  if (cellsAt < position) feed.changed(position);
}

function drawTables() {
  drawTrend(document.getElementById('chart'), look.days, figures);
  drawKinds(document.getElementById('kinds'), look.categories, figures, config.area);
  const parts = document.getElementById('parts');
  if (parts) parts.dataset.room = document.documentElement.dataset.tiles === '1x1' ? 10 : 14;
  drawParts(parts, look.parts, figures, { whole: look.figures.find(row => row.key === 'hazards.open').value, page: wallOf });
}

async function reload() {
  clearTimeout(again);
  try {
    takeLook(await feed.look(position));
    takeBurden(await feed.burden());
    await readOpen();
    truth.lookFailed(null);
  } catch (error) {
    truth.lookFailed(error);
    again = setTimeout(reload, between(RETRY_MS));
  }
}

let reading = false;
async function readOpen() {
  reading = true;
  try {
    open.take(await feed.points(position), news);
    settle('where');
  } catch (error) {
    trouble('where', error, readOpen);
  } finally { reading = false; }
}

// The row of news begins elsewhere: too much was missed, or a backup was restored.
function startAfresh(at) {
  position = at;
  cellsAt = 0;
  tally = null;
  news.length = 0;
  alarms.lostCount();
  reload();
}

// What weighs on the cells, from the news itself; the next reading puts right what the news does not tell.
const OPENS = new Set(['hazard.reported', 'hazard.reopen', 'hazard.contest', 'hazard.grant_reopening']), CLOSES = new Set(['hazard.write_off', 'hazard.refuse']);
function weigh(facts) {
  for (const fact of facts) {
    if (fact.position <= cellsAt || fact.area.length !== 15) continue;
    const cell = cells[fact.area] ??= [0, 0];
    if (OPENS.has(fact.topic)) cell[0] += 1;
    if (CLOSES.has(fact.topic)) cell[0] = Math.max(0, cell[0] - 1);
    if (fact.topic === 'hazard.mark_overdue') cell[1] += 1;
  }
  map?.setBurden(cells);
}

function onFacts(items, at, missed) {
  position = Math.max(position, at);
  if (!items.length) return;
  heardAt = performance.now();
  const hazards = items.filter(item => item.kind === 'hazard');
  if (hazards.length) {
    news.push(...hazards);
    news.splice(0, news.length - MOST_NEWS);
    feed.want(lists.hear(hazards));
    weigh(hazards);
    open.hear(hazards);
    alarms.hear(hazards, missed && wasLive); // what came between the page and its line is news like any other
  }
  if (items.some(item => item.topic === 'day.began')) setTimeout(reload, between(DAY_MS));
  else feed.changed(position);
}

function onTally(frame) {
  if (frame.area !== config.area) return;
  tally = frame;
  figures.update(frame.figures);
  truth.confirm(frame.as_of);
}

function onHeartbeat(frame) {
  clock.learn(frame.at);
  renewal(frame.version);
  truth.relay(frame.relay);
  truth.idle(frame.idle_since);
  if (frame.relay !== 'silent') truth.confirm(frame.at);
}

// -- what waits -----------------------------------------------------------------------------------
function pageOf(id) {
  if (!config.opens_lists) return '';
  return id ? `${config.hazards}${id}/` : `${config.hazards}?open=true&severity=major&state=reported&area=${config.area}`;
}

// Words for the first that waits: number, matter and place come with its row.
function tellWaiting() { feed.want(open.unanswered.slice(0, 1).map(row => row.id)); }

// -- map ------------------------------------------------------------------------------------------
const tip = document.getElementById('tip'), POINTS_MS = 500;
let pointsTimer = null;

// All that is open; until it has been read, what the lists know. A burst of news is drawn once.
function drawPoints() {
  if (!map || pointsTimer) return;
  pointsTimer = setTimeout(() => {
    pointsTimer = null;
    map.setHazards(open.isRead ? open.rows : lists.onMap);
    const many = document.getElementById('on-map');
    many.textContent = open.isRead ? say('%(n)s on the map', { n: number(open.size) }) : '';
  }, open.isRead ? POINTS_MS : 0);
}

async function drawMap() {
  const box = document.getElementById('map'), rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  document.getElementById('credit').textContent = [...config.map.credits, config.map.note].filter(Boolean).join(' · ');
  try {
    map = await createMap(box, {
      version: config.map.version, bounds: config.map.bounds, burden: true, scale: rem / 16, area: config.area, title: t('Open hazards by cell'),
      padding: { top: 4 * rem, bottom: 4.2 * rem, left: 1.5 * rem, right: 2.5 * rem },
      townshipsFrom: config.area.length > 4 ? 8 : 10.2,
      onCell: openCell, onHover: pointAt, onHazard: config.opens_lists ? id => location.assign(pageOf(id)) : null, cluster: true,
    });
    box.querySelector('.loading')?.remove();
    drawPoints();
    map.setBurden(cells);
    if (config.area.length === 15) map.markCells([config.area]);
  } catch (error) {
    box.replaceChildren(el('p', { class: 'map-missing' }, error instanceof NoMap ? error.message : t('The map could not be loaded.'), ' ', t('The lists show the same.')));
    if (!(error instanceof NoMap)) throw error;
  }
}

// City → county → township → cell: each click one level down; a hazard's row opens the hazard.
const BELOW = { 4: 6, 6: 9, 9: 15, 12: 15 };
const names = code => look.parts.find(part => part.code === code)?.name ?? look.towns[code] ?? look.cells[code] ?? code;
const below = (code, dedicated) => (config.area.length < 9 ? code.slice(0, BELOW[config.area.length]) : dedicated ?? code);

// The same wall for another area: scale, tiles and theme stay.
function wallOf(area) {
  const url = new URL(location.href);
  url.searchParams.set('area', area);
  return url.pathname + url.search;
}

function openCell(code, dedicated) {
  if (code.startsWith(config.area) && config.area.length < 15) location.assign(wallOf(below(code, dedicated)));
}

function pointAt(code, dedicated, point) {
  tip.hidden = !code?.startsWith(config.area);
  if (tip.hidden) return;
  tip.textContent = names(below(code, dedicated));
  tip.style.left = `${point.x + 18}px`;
  tip.style.top = `${point.y + 18}px`;
}

function up() {
  if (map?.returnToFrame()) return;
  const links = document.querySelectorAll('#trail a');
  if (links.length) links[links.length - 1].click();
}

// -- begin ----------------------------------------------------------------------------------------
function tick() {
  const now = clock.now();
  document.getElementById('clock').textContent = clockWords(now);
  const day = document.getElementById('date');
  day.textContent = date(now);
  day.dataset.year = dayOf(now).year; // on paper
  setTimeout(tick, 1000 - now % 1000);
}

// From time to time the whole is read again: it puts right what no news tells.
function lookAgain() {
  feed.look(position).then(takeLook, () => {}); // the strip says when there is no connection
  readOpen();
}

// The line is opened before anything is drawn; what it says is heard when the page stands.
let stands;
const standing = new Promise(resolve => { stands = resolve; });
const heard = act => (...said) => standing.then(() => act(...said));
const line = connect({
  area: config.area, after: position, onFacts: heard(onFacts), onTally: heard(onTally), onHeartbeat: heard(onHeartbeat), onReset: heard(startAfresh),
  onState: heard(state => {
    truth.connection(state);
    if (state.name !== 'live') return;
    wasLive = true;
    alarms.caughtUp();
    if (!open.isRead && !reading) readOpen(); // the server was away when it was asked for
    if (!cellsAt) feed.changed(position);
  }),
});
const renewal = renew({ version: config.version, lastNews: () => heardAt, isBusy: () => alarms.isRinging });
for (const link of document.querySelectorAll('#trail a')) link.href = wallOf(link.dataset.code);
listenToKeys({ up, notices: listenToNotices({ api: config.notices, clock }).open });
document.querySelector('#missed button').addEventListener('click', () => alarms.forgetMissed());
tick();
// The cells first: they are the most to draw, and what is drawn beside them only delays both. No longer than a second.
feed.burden().then(takeBurden, error => trouble('where', error, () => feed.tables()));
const mapDrawn = drawMap();
await Promise.race([mapDrawn.then(() => map?.drawn).catch(() => {}), new Promise(resolve => setTimeout(resolve, 1000))]);
figures.take(look.figures);
drawTables(); // before the lists, which fill what room is left
lists.take(look);
new ResizeObserver(() => drawTables()).observe(document.getElementById('chart'));
document.documentElement.addEventListener('themechange', () => drawTables());
new ResizeObserver(([{ target }]) => document.getElementById('board').style.setProperty('--banners', `${target.offsetHeight}px`)).observe(document.getElementById('banners'));
if (config.kiosk) standWatch();
sounds.begin();
readOpen();
setInterval(lookAgain, LOOK_MS);
stands();
watchdog({ slept: () => line.renew() });
