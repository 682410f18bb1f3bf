// Opens reports in a real browser, at two widths and in both colour schemes, and looks for what nobody wants to see: accessibility
// violations, requests, scripts, anything wider than the page, and numbers that are not those of the SQL beside them.
//   node report.mjs DIRECTORY NAME…    DIRECTORY/NAME.html; PGHOST and PGDATABASE say where its SQL runs. Screenshots go beside it.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const [directory, ...names] = process.argv.slice(2);
const widths = [360, 1440];
const schemes = ['light', 'dark'];
let passed = 0;
let failed = 0;

function check(what, problems) {
  if (problems.length === 0) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`not ok: ${what}\n    ${problems.slice(0, 10).join('\n    ')}`);
  }
}

// ---- The page as it is shown ----

async function accessibilityProblems(page) {
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 120)}`));
}

// What reaches beyond the page; what scrolls within its own box does not.
const overflowing = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const beyond = [...document.querySelectorAll('body *')].filter((element) => {
      if (element.closest('.scroll') && !element.matches('.scroll')) return false;
      const box = element.getBoundingClientRect();
      return box.width > 0 && (box.right > width + 1 || box.left < -1);
    });
    return beyond.map((e) => `${e.tagName} ${(e.textContent ?? '').slice(0, 60)}`);
  });

async function lookAt(browser, name, width, scheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, bypassCSP: true });
  const page = await context.newPage();
  const requests = [];
  const noise = [];
  const address = pathToFileURL(resolve(directory, `${name}.html`)).href;
  page.on('request', (request) => request.url() === address || requests.push(request.url()));
  page.on('dialog', async (dialog) => {
    noise.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('pageerror', (error) => noise.push(String(error)));
  await page.goto(address);
  await page.screenshot({ path: join(directory, `${name}-${width}-${scheme}.png`), fullPage: true });
  const where = `${name}, ${width} px, ${scheme}`;
  check(`${where}: nothing is requested and nothing runs`, [...requests, ...noise]);
  check(`${where}: nothing overflows`, await overflowing(page));
  check(`${where}: each drawing has title, axis, numbers and SQL`, await wantingFigures(page));
  await page.evaluate(() => document.querySelectorAll('details').forEach((d) => (d.open = true)));
  check(`${where}: nothing overflows when opened`, await overflowing(page));
  check(`${where}: accessible`, await accessibilityProblems(page));
  await context.close();
}

// A drawing has a title, says what its axes are, and opens to its numbers and its SQL.
const wantingFigures = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('figure:has(svg)')]
      .filter((f) => !f.querySelector('h3')?.textContent || !f.querySelector('.axis')?.textContent || !f.querySelector('details table') || !f.querySelector('details pre'))
      .map((f) => f.id),
  );

// ---- Its numbers against its SQL ----

const figuresOf = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('figure:not(.missing)')].map((figure) => ({
      id: figure.id,
      sql: figure.querySelector('pre').textContent,
      drawn: figure.querySelectorAll('svg').length,
      rows: [...figure.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent)),
    })),
  );

const rowsOf = (sql) =>
  JSON.parse(
    execFileSync('psql', ['-XAtqc', `SELECT coalesce(json_agg(r.cells), '[]') FROM (
      SELECT (SELECT json_agg(v.value ORDER BY v.place) FROM json_each_text(row_to_json(q)) WITH ORDINALITY AS v (key, value, place)) AS cells
      FROM (${sql}) AS q) AS r`], { encoding: 'utf8', maxBuffer: 1 << 28 }),
  );

// Whether a cell shows a value: to as many digits as it has; in per cent where it says so.
function shows(cell, value) {
  if (value === null) return cell === '–';
  if (cell === value) return true;
  const share = cell.endsWith('%');
  const digits = cell.replace(/[\s\u202f%]/g, '').replace('−', '-');
  if (!/^-?[0-9.]+$/.test(digits)) return false;
  const decimals = (digits.split('.')[1] ?? '').length;
  const wanted = Number(value) * (share ? 100 : 1);
  return Math.abs(Number(digits) - wanted) <= 0.5000001 * 10 ** -decimals + Math.abs(wanted) * 1e-12;
}

function differences(figure) {
  const wanted = rowsOf(figure.sql);
  if (wanted.length !== figure.rows.length && figure.rows.length < 100) {
    return [`${figure.id}: ${figure.rows.length} rows shown, ${wanted.length} by the SQL`];
  }
  return figure.rows.flatMap((row, i) =>
    row.flatMap((cell, j) => (shows(cell, wanted[i][j]) ? [] : [`${figure.id}: shows ${cell} for ${wanted[i][j]}`])),
  );
}

async function compareNumbers(browser, name) {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(resolve(directory, `${name}.html`)).href);
  const figures = await figuresOf(page);
  check(`${name}: there are figures`, figures.length > 5 ? [] : [`${figures.length} only`]);
  for (const figure of figures) check(`${name}: the numbers of ${figure.id} are those of its SQL`, differences(figure));
  await page.close();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const name of names) {
  for (const width of widths) {
    for (const scheme of schemes) await lookAt(browser, name, width, scheme);
  }
  await compareNumbers(browser, name);
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
