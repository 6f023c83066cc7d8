// What the pages without an account do besides: the position of the device, and a form is sent once. Without it they work too.
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

const place = document.querySelector('[data-place-form]');
const button = place?.querySelector('[data-position]');
if (button && navigator.geolocation) {
  const said = place.querySelector('[data-position-said]');
  place.querySelector('[data-device]').hidden = false;
  button.addEventListener('click', () => {
    said.textContent = button.dataset.looking;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        place.elements.lat.value = coords.latitude.toFixed(6);
        place.elements.lon.value = coords.longitude.toFixed(6);
        place.elements.datum.value = 'wgs84';
        said.textContent = button.dataset.taken.replace('{n}', Math.ceil(coords.accuracy));
      },
      () => { said.textContent = button.dataset.refused; },
      { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 },
    );
  });
}
