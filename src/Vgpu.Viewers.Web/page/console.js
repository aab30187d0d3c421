// One vGPU's screen: noVNC in the middle, and what a person does with it around.
import { ask, follow, pause } from './api.js';
import { memoryOf, showState, wordOf } from './facts.js';
import { leaveKeyboard } from './keys.js';
import { session } from './session.js';
import { typeInto } from './typing.js';

const byId = id => document.getElementById(id);
const screen = byId('screen');
const wanted = new URLSearchParams(location.search).get('vgpu') ?? '';
const touch = matchMedia('(pointer: coarse)');
let novnc = null;
let rfb = null;
let vgpu = null;
let failures = 0;
let waiting = null;

const who = await session(byId('main'));
document.body.classList.toggle('view-only', !who.may_type);
byId('size').value = localStorage.getItem('vgpu-size') ?? 'fit';
if (byId('size').selectedIndex < 0 || (!who.may_type && byId('size').value === 'ask')) {
  byId('size').value = 'fit';
}
if (!who.may_type) {
  byId('size').querySelector('[value=ask]').remove();
  byId('leaving').textContent = 'View only: keyboard and pointer stay with this page.';
}
if (who.novnc) {
  const folder = `${who.novnc}/core`;
  novnc = {
    RFB: (await import(`${folder}/rfb.js`)).default,
    keysyms: (await import(`${folder}/input/keysymdef.js`)).default,
    keys: (await import(`${folder}/input/keysym.js`)).default,
  };
}
wire();
follow(seen, lost);

function seen(vgpus) {
  const found = vgpus.find(each => each.uuid === wanted) ?? vgpus.find(each => each.name === wanted);
  const before = vgpu?.state;
  vgpu = found ?? null;
  byId('name').textContent = found?.name ?? 'No such vGPU';
  document.title = found ? `${found.name} – vGPU console` : 'No such vGPU';
  byId('tools').hidden = !found;
  byId('state').hidden = !found;
  byId('memory').textContent = found ? memoryOf(found) : '';
  if (!found) {
    end();
    say('There is no such vGPU. The list shows those that are there.');
    return;
  }
  showState(byId('state'), found.state);
  byId('picture').href = `/api/vgpus/${found.uuid}/picture.png`;
  if (before && before !== found.state) {
    tell(`${found.name}: ${wordOf(found.state)}`);
  }
  if (found.state !== 'running') {
    end();
    say(`${found.name} is ${wordOf(found.state).toLowerCase()}${found.problem ? `: ${found.problem}` : ''}. Its screen will be here when it runs.`);
  } else if (!rfb && !waiting) {
    connect();
  }
}

function connect() {
  stopWaiting();
  if (!novnc) {
    say('This build has no noVNC, which draws the screen here. On the host: run eng/npm novnc src/Vgpu.Viewers.Web/novnc, build again and start the console anew. Pictures work without it.');
    return;
  }
  say(`Connecting to ${vgpu.name} …`);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const mine = new novnc.RFB(screen, `${scheme}://${location.host}/api/vgpus/${vgpu.uuid}/console`, { shared: true });
  rfb = mine;
  mine.background = 'transparent';
  mine.viewOnly = !who.may_type;
  mine.qualityLevel = 8;
  applySize();
  label();
  mine.addEventListener('connect', () => {
    failures = 0;
    byId('cover').hidden = true;
    document.body.classList.add('connected');
    tell(`Connected to ${vgpu?.name}. ${who.may_type ? 'Use keyboard hands every key to the guest; Ctrl, left Alt and Shift together give it back.' : 'View only.'}`);
  });
  mine.addEventListener('disconnect', () => {
    if (rfb === mine) {
      rfb = null;
      document.body.classList.remove('connected', 'typing');
      retry();
    }
  });
  mine.addEventListener('securityfailure', event => say(`The screen was refused: ${event.detail.reason ?? 'no reason was given'}.`));
}

// Ever more slowly, up to a quarter of a minute.
async function retry() {
  if (vgpu?.state !== 'running') {
    return;
  }
  const seconds = Math.min(15, 2 ** failures++);
  say(`The connection to ${vgpu.name} has ended. The next attempt is in ${seconds} s.`, true);
  const mine = new AbortController();
  waiting = mine;
  await pause(seconds * 1000, mine.signal);
  if (waiting === mine && vgpu?.state === 'running') {
    connect();
  }
}

function stopWaiting() {
  const before = waiting;
  waiting = null;
  before?.abort();
}

function end() {
  stopWaiting();
  const before = rfb;
  rfb = null;
  document.body.classList.remove('connected', 'typing');
  before?.disconnect();
}

function say(line, again = false) {
  byId('cover').hidden = false;
  byId('status').textContent = line;
  byId('again').hidden = !again;
}

function tell(line) {
  byId('news').textContent = line;
}

function lost(error) {
  byId('trouble').hidden = !error;
  byId('trouble').textContent = error ? 'The console does not answer; trying again.' : '';
}

function applySize() {
  const size = byId('size').value;
  screen.classList.toggle('actual', size === 'true');
  if (rfb) {
    rfb.scaleViewport = size !== 'true';
    rfb.resizeSession = size === 'ask';
  }
}

// noVNC's canvas is what has the keyboard: a screen reader must know what it is.
function label() {
  const canvas = screen.querySelector('canvas');
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', `Screen of ${vgpu.name}`);
  canvas.setAttribute('aria-describedby', 'leaving');
  canvas.addEventListener('focus', () => document.body.classList.add('typing'));
  canvas.addEventListener('blur', () => document.body.classList.remove('typing'));
}

function wire() {
  byId('type').addEventListener('click', () => {
    if (touch.matches) {
      byId('typing').focus();
    } else {
      rfb?.focus();
    }
  });
  byId('secure').addEventListener('click', () => {
    rfb?.sendCtrlAltDel();
    tell('Ctrl-Alt-Del was sent');
  });
  byId('size').addEventListener('change', () => {
    localStorage.setItem('vgpu-size', byId('size').value);
    applySize();
  });
  byId('full').addEventListener('click', async () => {
    await byId('main').requestFullscreen();
    // Where the browser can: Alt-Tab and Escape go to the guest too, and Escape that is held ends it.
    await navigator.keyboard?.lock?.().catch(() => {});
    rfb?.focus();
  });
  byId('again').addEventListener('click', connect);
  for (const id of ['type', 'secure']) {
    byId(id).hidden = !who.may_type;
  }
  byId('full').hidden = !document.fullscreenEnabled;
  leaveKeyboard(screen, () => {
    byId('type').focus();
    tell('The keyboard is this page’s again');
  });
  if (novnc) {
    typeInto(byId('typing'), novnc, () => rfb);
  }
  // The picture's failure is a line here, not a page of JSON.
  byId('picture').addEventListener('click', async event => {
    event.preventDefault();
    try {
      const response = await ask(byId('picture').href);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await response.blob());
      link.download = `${vgpu?.name ?? 'screen'} ${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 30000);
      tell('The picture was saved');
    } catch (error) {
      tell(`No picture: ${error.message}`);
    }
  });
}
