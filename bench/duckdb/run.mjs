// Runs queries in DuckDB with one thread, over its own copy of the orders, which lies in memory.
// Usage: node run.mjs ORDERS.csv; then for each line of the input, the name of a file: runs it, and prints the seconds.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
await connection.run(`CREATE TABLE orders AS FROM read_csv('${process.argv[2]}', header = false,
    columns = {customer_id: 'BIGINT', ordered_at: 'TIMESTAMP', amount: 'DECIMAL(12,2)'})`);
const [[version, rows]] = (await connection.runAndReadAll('SELECT version(), count(*) FROM orders')).getRows();
console.log(`DuckDB ${version}, one thread, ${rows} orders in memory`);
for await (const file of createInterface({ input: process.stdin })) {
    const query = await readFile(file, 'utf8');
    const started = performance.now();
    await connection.run(query);
    console.log((performance.now() - started) / 1000);
}
