// Light or dark at once, kept by the server for the person and the browser.
for (const form of document.querySelectorAll('form[data-theme-switch]')) {
  form.addEventListener('submit', event => {
    event.preventDefault();
    const button = form.querySelector('button[name="theme"]');
    const theme = button.value;
    const root = document.documentElement;
    const body = new FormData(form);
    body.set('theme', theme);
    root.dataset.theme = theme;
    button.value = theme === 'dark' ? 'light' : 'dark';
    root.dispatchEvent(new CustomEvent('themechange', { bubbles: true, detail: theme }));
    fetch(form.action, { method: 'POST', body, headers: { 'X-Requested-With': 'fetch' } })
      .catch(() => {}); // not kept this time; the page is right all the same
  });
}
