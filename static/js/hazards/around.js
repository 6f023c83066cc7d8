// The map beside the list of cases near by. It is fetched when the list comes into view; the list says the same, and stays
// where no map can be drawn. A pin has the sign of its case's state, so that shapes tell what colours do.
import { read } from '../wall/feed.js';

const panel = document.getElementById('around'), box = panel.querySelector('[data-map]');
const rows = [...panel.querySelectorAll('li[data-lon]')];
const place = ({ dataset }) => [+dataset.lon, +dataset.lat];

async function draw() {
  const { version } = await read('/api/v1/grid/');
  await Promise.all(document.getElementById('map-assets').dataset.styles.split(' ').map(styled));
  const { createMap } = await import('../map.js');
  const { library } = await import('../map-library.js');
  box.hidden = false;
  const map = await createMap(box, { version, bounds: frame([panel, ...rows].map(place)), padding: 36, zoomButtons: true, counties: false, title: panel.dataset.title });
  map.setPoint(...place(panel), +panel.dataset.accuracy);
  const taken = new Map();
  for (const row of rows) {
    const spot = place(row).map(n => n.toFixed(4)).join(), before = taken.get(spot) ?? 0;
    taken.set(spot, before + 1);
    new library.Marker({ element: pinOf(row), offset: [before * 20, 0] }).setLngLat(place(row)).addTo(map.library);
  }
}

// The list leads to the case by keyboard; the pin does so for a pointer.
function pinOf(row) {
  const link = row.querySelector('a'), pin = document.createElement('a');
  pin.className = 'around-pin';
  pin.classList.toggle('is-late', 'late' in row.dataset);
  pin.href = link.href;
  pin.tabIndex = -1;
  pin.title = `${link.textContent} ${link.nextElementSibling.textContent} · ${row.querySelector('.state').textContent}`;
  pin.setAttribute('aria-label', pin.title);
  pin.append(row.querySelector('.state svg').cloneNode(true));
  for (const [come, away] of [['pointerenter', 'pointerleave'], ['focusin', 'focusout']]) {
    row.addEventListener(come, () => pin.classList.add('is-marked'));
    row.addEventListener(away, () => pin.classList.remove('is-marked'));
  }
  return pin;
}

function styled(href) {
  return new Promise(resolve => {
    const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href, onload: resolve, onerror: resolve });
    document.head.append(sheet);
  });
}

function frame(points) {
  const lons = points.map(([lon]) => lon), lats = points.map(([, lat]) => lat), edge = .0006;
  return [[Math.min(...lons) - edge, Math.min(...lats) - edge], [Math.max(...lons) + edge, Math.max(...lats) + edge]];
}

const seen = new IntersectionObserver(entries => {
  if (!entries.some(entry => entry.isIntersecting)) return;
  seen.disconnect();
  draw().catch(error => { box.hidden = true; console.info(error.message); });
});
seen.observe(panel);
