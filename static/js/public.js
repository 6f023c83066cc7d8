// What the pages without an account do besides: the place by the device or on a map, maps of places, and a form is sent once.
// Without it they work too.
for (const form of document.querySelectorAll('form[data-once]')) {
  let sent = false;
  form.addEventListener('submit', event => {
    if (sent) { event.preventDefault(); return; }
    sent = true;
    for (const button of form.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true');
  });
  addEventListener('pageshow', () => { // come back to by the browser's own button
    sent = false;
    for (const button of form.querySelectorAll('button')) button.removeAttribute('aria-disabled');
  });
}

// -- the place of a report --

const form = document.querySelector('[data-place-form]');
const said = form?.querySelector('[data-position-said]');

function settle(lon, lat, words) {
  form.elements.lat.value = lat.toFixed(6);
  form.elements.lon.value = lon.toFixed(6);
  form.elements.datum.value = 'wgs84';
  said.textContent = words;
}

const device = form?.querySelector('[data-position]');
if (device && navigator.geolocation) {
  device.hidden = false;
  device.addEventListener('click', () => {
    said.textContent = device.dataset.looking;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => settle(coords.longitude, coords.latitude, device.dataset.taken.replace('{n}', Math.ceil(coords.accuracy))),
      () => { said.textContent = device.dataset.refused; },
      { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 },
    );
  });
}

// Numbers of another map are not where they seem to lie on this one.
function typed() {
  const { lat, lon, datum } = form.elements;
  return lat.value && lon.value && datum.value === 'wgs84' && lat.validity.valid && lon.validity.valid ? { lon: +lon.value, lat: +lat.value } : null;
}

const chooser = form?.querySelector('[data-on-map]');
if (chooser) {
  chooser.hidden = false;
  chooser.addEventListener('click', async () => {
    const dialog = document.getElementById('map-dialog');
    dialog.showModal();
    const { pinMap } = await import('./pin.js');
    const { styles, base, frame } = document.getElementById('map-assets').dataset;
    const pin = await pinMap(dialog, { start: typed(), styles: styles.split(' '), frame: JSON.parse(frame), zoom: 13, options: { base, cells: false } });
    if (pin) settle(pin.lon, pin.lat, chooser.dataset.chosen);
  });
}

// -- where cases lie --

const places = document.querySelector('[data-places]');
if (places) {
  const { mapBeside } = await import('./places.js');
  const { base } = document.getElementById('map-assets').dataset;
  mapBeside(places, [...document.querySelectorAll('li[data-lon]')], { title: row => row.dataset.title, edge: .04, apart: 7, more: { base, cells: false } });
}
