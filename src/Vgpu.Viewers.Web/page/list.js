// The list: a card for each vGPU, its picture looked at anew while somebody can see it.
import { ask, follow, pause, visible } from './api.js';
import { memoryOf, modesOf, showState, wordOf } from './facts.js';
import { session, signOut } from './session.js';

const byId = id => document.getElementById(id);
const cards = new Map();
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const watcher = new IntersectionObserver(entries => entries.forEach(entry => {
  const card = cards.get(entry.target.dataset.uuid);
  if (card) {
    card.seen = entry.isIntersecting;
  }
}));

const who = await session(byId('main'));
byId('role').textContent = who.may_type ? '' : 'View only';
byId('sign-out').hidden = false;
byId('sign-out').addEventListener('click', signOut);
byId('title').hidden = false;
follow(show, lost);
watch();

function show(vgpus) {
  const news = [];
  const list = byId('vgpus');
  const there = new Set(vgpus.map(vgpu => vgpu.uuid));
  for (const [uuid, card] of cards) {
    if (!there.has(uuid)) {
      watcher.unobserve(card.element);
      card.element.remove();
      cards.delete(uuid);
      news.push(`${card.vgpu.name} is gone`);
    }
  }
  let before = null;
  for (const vgpu of vgpus) {
    let card = cards.get(vgpu.uuid);
    if (!card) {
      card = make(vgpu);
    } else if (card.vgpu.state !== vgpu.state) {
      news.push(`${vgpu.name}: ${wordOf(vgpu.state)}`);
    }
    fill(card, vgpu);
    // Only what is out of place is moved, so that nobody loses the focus.
    const place = before ? before.nextSibling : list.firstChild;
    if (place !== card.element) {
      list.insertBefore(card.element, place);
    }
    before = card.element;
  }
  const running = vgpus.filter(vgpu => vgpu.state === 'running').length;
  byId('summary').textContent = vgpus.length === 0 ? '' : `${vgpus.length} in all, ${running} running`;
  byId('none').hidden = vgpus.length > 0;
  if (news.length > 0) {
    byId('news').textContent = news.join('. ');
  }
}

function make(vgpu) {
  const element = byId('card').content.firstElementChild.cloneNode(true);
  element.dataset.uuid = vgpu.uuid;
  const card = { element, vgpu, seen: false, etag: '', busy: false };
  cards.set(vgpu.uuid, card);
  watcher.observe(element);
  return card;
}

function fill(card, vgpu) {
  card.vgpu = vgpu;
  const find = selector => card.element.querySelector(selector);
  const link = find('h2 a');
  link.textContent = vgpu.name;
  link.href = `/console?vgpu=${encodeURIComponent(vgpu.uuid)}`;
  showState(find('.state'), vgpu.state);
  find('.problem').hidden = !vgpu.problem;
  find('.problem').textContent = vgpu.problem ?? '';
  find('.type').textContent = vgpu.type;
  find('.mode').textContent = modesOf(vgpu);
  find('.memory').textContent = memoryOf(vgpu);
  find('meter').hidden = vgpu.memory_limit === 0;
  find('meter').value = vgpu.memory_limit > 0 ? vgpu.memory_used / vgpu.memory_limit : 0;
  find('canvas').setAttribute('aria-label', `What ${vgpu.name} shows`);
  if (vgpu.state !== 'running') {
    blank(card);
  }
}

function blank(card) {
  card.etag = '';
  card.element.querySelector('canvas').hidden = true;
  card.element.querySelector('.blank').textContent = card.vgpu.state === 'running' ? 'Nothing is shown' : `${wordOf(card.vgpu.state)}: no picture`;
}

// Slowly, and only what is in the window while the page can be seen.
async function watch() {
  for (;;) {
    await visible();
    await Promise.all([...cards.values()].filter(card => card.seen && card.vgpu.state === 'running').map(look));
    const young = [...cards.values()].some(card => card.seen && card.vgpu.state === 'running' && !card.tried);
    await pause(young || cards.size === 0 ? 150 : calm.matches ? 10000 : 3000);
  }
}

async function look(card) {
  card.tried = true;
  try {
    const response = await ask(`/api/vgpus/${card.vgpu.uuid}/thumbnail`, { headers: card.etag ? { 'If-None-Match': card.etag } : {} });
    if (response.status === 200) {
      const picture = await createImageBitmap(await response.blob());
      const canvas = card.element.querySelector('canvas');
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.getContext('2d').drawImage(picture, 0, 0);
      picture.close();
      canvas.hidden = false;
      card.element.querySelector('.blank').textContent = '';
      card.etag = response.headers.get('ETag') ?? '';
    } else if (response.status === 204) {
      blank(card);
    }
  } catch {
    // The list says when the server is away.
  }
}

function lost(error) {
  byId('trouble').hidden = !error;
  byId('trouble').textContent = error ? 'The console does not answer; trying again.' : '';
}
