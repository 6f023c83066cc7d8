// "Notify me on this device": asks the browser, and tells us where to push. Hidden where it cannot be.
import { t } from './words.js';

const form = document.querySelector('[data-push]'), said = document.querySelector('[data-push-said]');
const able = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

function bytes(key) {
  const raw = atob(key.replaceAll('-', '+').replaceAll('_', '/').padEnd(Math.ceil(key.length / 4) * 4, '='));
  return Uint8Array.from(raw, letter => letter.charCodeAt(0));
}

async function current() {
  const worker = await navigator.serviceWorker.getRegistration('/');
  return worker?.pushManager.getSubscription() ?? null;
}

async function subscribe() {
  if (await Notification.requestPermission() !== 'granted') return hindrance() || t('Nothing was allowed. Press again and choose “Allow”.');
  await navigator.serviceWorker.register(form.dataset.worker);
  const worker = await navigator.serviceWorker.ready;
  const device = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
  const { endpoint, keys } = device.toJSON();
  const body = new FormData(form);
  for (const [name, value] of Object.entries({ endpoint, ...keys })) body.set(name, value);
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(body), credentials: 'same-origin' });
  if (answer.ok) return '';
  await device.unsubscribe();
  return answer.status === 400 ? answer.text() : t('It could not be saved. Try again.');
}

function hindrance() {
  if (!isSecureContext) return t('To be notified on this device, the site has to be opened over https.');
  if (!able) return t('This browser takes no notices from sites. Another one may, or choose e-mail or a text message.');
  if (Notification.permission === 'denied') return t('Notices on this device are blocked. Allow them in the settings of this site (the sign beside the address), then load the page again.');
  return '';
}

if (form && hindrance()) {
  if (said.hasAttribute('data-why')) said.textContent = hindrance();
} else if (form) {
  current().catch(() => null).then(device => { form.hidden = Boolean(device); });
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    const wrong = await subscribe().catch(() => t('The push service of this browser cannot be reached.'));
    button.disabled = false;
    form.hidden = !wrong;
    said.textContent = wrong || t('Notices now also come to this device.');
  });
}
