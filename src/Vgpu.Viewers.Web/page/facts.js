// A vGPU's facts as words, and as parts of a page.

const states = {
  running: 'Running',
  starting: 'Starting',
  stopped: 'Stopped',
  failed: 'Failed',
};

/** A state's word. */
export const wordOf = state => states[state] ?? state;

/** Shows a state: its word, and a mark whose shape says the same. */
export function showState(element, state) {
  element.dataset.state = state;
  element.querySelector('.word').textContent = wordOf(state);
}

/** Bytes as people read them. */
export function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${count < 10 && unit > 0 ? Math.round(count * 10) / 10 : Math.round(count)} ${units[unit]}`;
}

/** What is used of what may be. */
export const memoryOf = vgpu =>
  vgpu.memory_limit > 0 ? `${bytes(vgpu.memory_used)} of ${bytes(vgpu.memory_limit)}` : bytes(vgpu.memory_used);

/** The modes of what is shown. */
export const modesOf = vgpu => vgpu.modes.length > 0 ? vgpu.modes.map(mode => mode.replace('x', ' × ')).join(', ') : 'nothing shown';
