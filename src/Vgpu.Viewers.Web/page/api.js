// The console's API: requests, and the list as it changes.

/** An answer that was no success, with its line. */
export class Refused extends Error {
  constructor(status, line) {
    super(line);
    this.status = status;
  }
}

/** Fetches; anything but success throws Refused. */
export async function ask(path, options = {}) {
  const response = await fetch(path, options);
  if (response.ok || response.status === 304) {
    return response;
  }
  let line = response.statusText;
  try {
    line = (await response.json()).detail ?? line;
  } catch {
    // No problem document: the status will do.
  }
  throw new Refused(response.status, line);
}

/** Waits, or until the signal is aborted. */
export function pause(milliseconds, signal) {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

/** Resolves once the page can be seen. */
export function visible() {
  return document.visibilityState === 'visible'
    ? Promise.resolve()
    : new Promise(resolve => document.addEventListener('visibilitychange', function look() {
      if (document.visibilityState === 'visible') {
        document.removeEventListener('visibilitychange', look);
        resolve();
      }
    }));
}

/**
 * Calls shown(vgpus) with the list, and again whenever it has changed, while the page can be seen; lost(error) when the
 * server does not answer, with null once it does again. Ends when the session does.
 */
export async function follow(shown, lost) {
  let etag = '';
  let failures = 0;
  for (;;) {
    await visible();
    const hidden = new AbortController();
    const leave = () => document.visibilityState === 'hidden' && hidden.abort();
    document.addEventListener('visibilitychange', leave);
    try {
      const response = await ask(`/api/vgpus?after=${encodeURIComponent(etag)}`, { signal: hidden.signal });
      const list = await response.json();
      if (failures > 0) {
        lost(null);
      }
      failures = 0;
      if (list.etag !== etag) {
        etag = list.etag;
        shown(list.vgpus);
      }
      await pause(400, hidden.signal);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        location.reload();
        return;
      }
      if (!hidden.signal.aborted) {
        failures++;
        lost(error);
        await pause(Math.min(15000, 1000 * 2 ** failures), hidden.signal);
      }
    } finally {
      document.removeEventListener('visibilitychange', leave);
    }
  }
}
