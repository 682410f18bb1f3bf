// Takes the pictures of the documentation from a report: node pictures.mjs REPORT.html DIRECTORY
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

// Two figures each, side by side, by how their ids begin.
const pictures = { shop: ['key-figures', 'segments'], customers: ['cohorts', 'rfm'], offers: ['ladder', 'lift-'] };

const [report, directory] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, colorScheme: 'light' });
await page.goto(pathToFileURL(resolve(report)).href);
// What opens below a figure is for who has the page.
await page.addStyleTag({
  content: 'details { display: none } .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; padding: .5rem } .pair figure { margin: 0 }',
});
for (const [name, beginnings] of Object.entries(pictures)) {
  await page.evaluate((ids) => {
    document.querySelector('.pair')?.remove();
    const pair = document.createElement('div');
    pair.className = 'pair';
    for (const id of ids) pair.append(document.querySelector(`figure[id^="${id}"]`).cloneNode(true));
    document.body.prepend(pair);
  }, beginnings);
  await page.locator('.pair').screenshot({ path: join(directory, `${name}.png`) });
}
await browser.close();
