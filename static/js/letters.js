// Keys of one letter, and the switch in a page's help that turns them off on this device (WCAG 2.1.4).
const KEPT = 'keys.letters';

export const lettersAct = () => localStorage.getItem(KEPT) !== 'off';

export function letterSwitch(box) {
  box.checked = lettersAct();
  box.addEventListener('change', () => localStorage.setItem(KEPT, box.checked ? 'on' : 'off'));
}
