// A map beside a list of places. It is fetched when the list comes into view; the list says the same, and stays where no
// map can be drawn. A pin has the sign of its row, so that shapes tell what colours do, and leads where the row leads.
const place = ({ dataset }) => [+dataset.lon, +dataset.lat];

// `panel`: with data-title, data-lon and data-lat for a place of its own, data-accuracy, and [data-map] to draw in; `rows`: with
// data-lon, data-lat, a link and a sign; `title` says what the pin of a row is; `edge`: degrees about them; `apart`: pixels
// between the pins of one place; `more`: options of createMap, or what brings them.
export function mapBeside(panel, rows, { title, edge = .0006, apart = 20, more = {} }) {
  const box = panel.querySelector('[data-map]');
  const seen = new IntersectionObserver(entries => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    seen.disconnect();
    draw(panel, box, rows, { title, edge, apart, more }).catch(error => { box.hidden = true; console.info(error.message); });
  });
  seen.observe(panel);
}

async function draw(panel, box, rows, { title, edge, apart, more }) {
  const own = panel.dataset.lon ? [place(panel)] : [];
  await Promise.all(document.getElementById('map-assets').dataset.styles.split(' ').map(styled));
  const options = await (typeof more === 'function' ? more() : more);
  const { createMap } = await import('./map.js');
  const { library } = await import('./map-library.js');
  box.hidden = false;
  const map = await createMap(box, { bounds: frame([...own, ...rows.map(place)], edge), padding: 36, zoomButtons: true, title: panel.dataset.title, ...options });
  if (own.length) map.setPoint(...own[0], +panel.dataset.accuracy);
  const taken = new Map();
  for (const row of rows) {
    const spot = place(row).map(n => n.toFixed(4)).join(), before = taken.get(spot) ?? 0;
    taken.set(spot, before + 1);
    new library.Marker({ element: pinOf(row, title), offset: [before * apart, 0] }).setLngLat(place(row)).addTo(map.library);
  }
}

// The list leads to the case by keyboard; the pin does so for a pointer.
function pinOf(row, title) {
  const pin = document.createElement('a');
  pin.className = 'around-pin';
  pin.classList.toggle('is-late', 'late' in row.dataset);
  pin.href = row.querySelector('a').href;
  pin.tabIndex = -1;
  pin.title = title(row);
  pin.setAttribute('aria-label', pin.title);
  pin.append(row.querySelector('svg.sign').cloneNode(true));
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

function frame(points, edge) {
  const lons = points.map(([lon]) => lon), lats = points.map(([, lat]) => lat);
  return [[Math.min(...lons) - edge, Math.min(...lats) - edge], [Math.max(...lons) + edge, Math.max(...lats) + edge]];
}
