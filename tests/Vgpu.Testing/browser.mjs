// Headless Chromium for the tests: takes a line of JSON on standard input, runs its script with Playwright's objects, and
// answers with a line. Arguments: Playwright's folder, the browser's program.
import { createInterface } from 'node:readline';

const [folder, program] = process.argv.slice(2);
const { chromium } = await import(`${folder}/index.mjs`);
const browser = await chromium.launch({
  executablePath: program,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const AsyncFunction = (async () => {}).constructor;
let context = null;
let page = null;
let errors = [];

// A browser that nobody has used yet.
async function fresh(options) {
  await context?.close();
  errors = [];
  context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true, ...options });
  context.setDefaultTimeout(20000);
  page = await context.newPage();
  page.on('pageerror', error => errors.push(`${error}`));
  page.on('console', message => message.type() === 'error' && errors.push(message.text()));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { script, given, options } = JSON.parse(line);
  let answer;
  try {
    if (options) {
      await fresh(options);
      answer = { value: null };
    } else {
      const value = await new AsyncFunction('page', 'context', 'given', 'errors', script)(page, context, given, errors);
      answer = { value: value ?? null };
    }
  } catch (error) {
    answer = { error: `${error.stack ?? error}`, page: errors };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
