// The way out of the console's grab of the keyboard: Ctrl, left Alt and Shift held together. Not the right Alt, which
// with Shift types letters on many keyboards.

const parts = [['ControlLeft', 'ControlRight'], ['AltLeft'], ['ShiftLeft', 'ShiftRight']];

/** Calls left() when somebody leaves; all keys that the guest was told are down are up then. */
export function leaveKeyboard(screen, left) {
  const held = new Set();
  window.addEventListener('blur', () => held.clear());
  window.addEventListener('keyup', event => held.delete(event.code), true);
  window.addEventListener('keydown', event => {
    held.add(event.code);
    if (!screen.contains(document.activeElement) || !parts.every(codes => codes.some(code => held.has(code)))) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    held.clear();
    // What noVNC takes for the window's loss of the keyboard, upon which it releases what is pressed.
    window.dispatchEvent(new Event('blur'));
    left();
  }, true);
}
