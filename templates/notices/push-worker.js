// Shows what is pushed while no page is open: the words of a topic and a number, nothing else comes.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));

self.addEventListener('push', event => {
  const said = event.data ? event.data.json() : {};
  event.waitUntil(self.registration.showNotification(said.title || '…', {
    body: said.number || '', tag: `notice-${said.notice}`, requireInteraction: said.level === 1 || said.level === 2,
  }));
});

self.addEventListener('notificationclick', event => {
  event.notification.close();
  event.waitUntil((async () => {
    const [open] = await self.clients.matchAll({ type: 'window' });
    if (!open) return self.clients.openWindow('/notices/?unread=1');
    await open.focus();
    return open.navigate('/notices/?unread=1');
  })());
});
