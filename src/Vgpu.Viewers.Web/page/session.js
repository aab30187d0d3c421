// Signing in: by a token in the address, which leaves it at once, or by one that is typed.
import { ask, Refused } from './api.js';

/** Who is signed in; asks for a token, within the element, until somebody is. */
export async function session(within) {
  const given = new URLSearchParams(location.hash.slice(1));
  let line = given.has('refused') ? 'That token is not this console’s.' : '';
  if (location.hash) {
    history.replaceState(null, '', location.pathname + location.search);
  }
  if (given.has('token')) {
    line = await exchange(given.get('token'));
  }
  for (;;) {
    try {
      return await (await ask('/api/session')).json();
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) {
        throw error;
      }
      await form(within, line);
      line = '';
    }
  }
}

/** Forgets who was signed in. */
export async function signOut() {
  await ask('/api/session', { method: 'DELETE' });
  location.assign('/');
}

// A token for a cookie that scripts can't read; the answer says what was wrong, or nothing.
async function exchange(token) {
  try {
    await ask('/api/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token }) });
    return '';
  } catch (error) {
    const line = error.message;
    return `${line.charAt(0).toUpperCase()}${line.slice(1)}.`;
  }
}

function form(within, line) {
  const form = document.createElement('form');
  form.className = 'sign-in';
  form.innerHTML = `
    <h1>Sign in</h1>
    <p>The console's token opens this page. <code>vgpu view</code> prints an address that has it.</p>
    <label for="token">Token</label>
    <input id="token" type="password" autocomplete="current-password" required spellcheck="false" aria-describedby="wrong">
    <p id="wrong" class="wrong" role="alert"></p>
    <button class="main">Sign in</button>`;
  const wrong = form.querySelector('#wrong');
  const input = form.querySelector('input');
  within.prepend(form);
  wrong.textContent = line;
  input.focus();
  return new Promise(resolve => form.addEventListener('submit', async event => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    const answer = await exchange(input.value.trim());
    button.disabled = false;
    wrong.textContent = answer;
    if (answer) {
      input.select();
      input.focus();
    } else {
      form.remove();
      resolve();
    }
  }));
}
