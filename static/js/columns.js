// The order of columns: a row of the list moves one place up or down, and the button that was pressed keeps the focus.
document.addEventListener('click', event => {
  const button = event.target.closest('[data-move]');
  if (!button) return;
  const row = button.closest('li');
  const other = button.dataset.move === '-1' ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (button.dataset.move === '-1') other.before(row); else other.after(row);
  button.focus();
  row.scrollIntoView({ block: 'nearest' });
});
