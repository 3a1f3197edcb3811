// A job by node-postgres: simple and prepared statements, text and binary, a transaction. Prints JSON.
'use strict';
const fs = require('fs');
const { Client } = require('pg');

const config = {
  host: 'localhost',
  port: Number(process.env.PANGATE_PORT),
  user: 'ci-job',
  database: 'payments',
  password: process.env.PGPASSWORD,
  ssl: { ca: fs.readFileSync(process.env.PANGATE_CA, 'utf8') },
  connectionTimeoutMillis: 20000,
};
// Of binary values node-postgres reads those alone whose bytes are UTF-8 (its parser makes strings of all).
const cards = { false: 'select pan, pan_number from cards where id <= $1 order by id', true: 'select pan, id from cards where id <= $1 order by id' };

async function main() {
  const said = {};
  const client = new Client(config);
  const notices = [];
  client.on('notice', (notice) => notices.push(notice.message));
  await client.connect();
  const simple = await client.query('select pan from cards order by id; select 1 as one');
  said.simple = [simple[0].rows.map((row) => row.pan), simple[1].rows[0].one];
  for (const binary of [false, true]) {
    const query = { name: `cards-${binary}`, text: cards[binary], values: [5], binary };
    // Twice: parsed once, then bound again.
    await client.query(query);
    const { rows } = await client.query(query);
    said[binary ? 'binary' : 'text'] = rows.map((row) => Object.values(row).map(String));
  }
  await client.query('begin');
  await client.query('insert into settlements (card_id, amount, note) values ($1, $2, $3)', [1, '2.50', 'by node']);
  said.inserted = (await client.query("select amount from settlements where note = 'by node'")).rows[0].amount;
  await client.query('rollback');
  const all = await Promise.allSettled([client.query('select 1'), client.query('drop table cards'), client.query('select 2 as two')]);
  said.denied = all[1].reason.code;
  said.after = all[2].value.rows[0].two;
  said.error = await client.query('select pan::date from cards where id = 1').catch((error) => error.message);
  said.notices = notices;
  await client.end();
  console.log(JSON.stringify(said));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
